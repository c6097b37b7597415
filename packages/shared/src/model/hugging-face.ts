import { id2label, label2id } from './labels.ts'
import type { Manifest } from './manifest.ts'
import { shortestEdge } from '../image/preprocess.ts'
import type { Preprocessing } from '../image/preprocessing.ts'

interface Family {
  readonly modelType: string
  readonly classifier: string
}

/** Architecture name, up to its first underscore or dash, to the names that Hugging Face libraries choose classes by. */
const families: Record<string, Family> = {
  convnext: { modelType: 'convnext', classifier: 'ConvNextForImageClassification' },
  efficientnet: { modelType: 'efficientnet', classifier: 'EfficientNetForImageClassification' },
}

/** Codes of `PIL.Image.Resampling`. */
const resampleCodes = { lanczos3: 1, bilinear: 2, bicubic: 3 } as const satisfies Record<
  Preprocessing['kernel'],
  number
>

/**
 * Content of `config.json`. Architectures outside the known families are declared as ConvNeXt: the class chooses
 * only the names of the input `pixel_values` and the output `logits`, which all our files share.
 */
export function huggingFaceConfig(
  manifest: Pick<Manifest, 'architecture' | 'labels' | 'preprocessing'>,
): Record<string, unknown> {
  const prefix = manifest.architecture.split(/[_-]/)[0]!
  const { modelType, classifier } = families[prefix] ?? families['convnext']!
  return {
    model_type: modelType,
    architectures: [classifier],
    image_size: manifest.preprocessing.size,
    num_channels: 3,
    id2label: id2label(manifest.labels),
    label2id: label2id(manifest.labels),
    'transformers.js_config': { dtype: 'fp32' },
  }
}

/**
 * Content of `preprocessor_config.json` for the generic `ImageProcessor` of transformers.js, which resizes and crops
 * as {@link Preprocessing} says (`ConvNextImageProcessor` would warp to a square at 384 pixels and above).
 */
export function huggingFacePreprocessor(preprocessing: Preprocessing): Record<string, unknown> {
  const { size, mean, std, kernel } = preprocessing
  return {
    image_processor_type: 'ImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { shortest_edge: shortestEdge(preprocessing, 1) },
    resample: resampleCodes[kernel],
    do_center_crop: true,
    crop_size: { height: size, width: size },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  }
}
