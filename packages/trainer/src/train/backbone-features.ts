import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { View } from '@flowers/shared/image/view'
import { bytes, compile, type Variable } from '@flowers/tensorflow'
import * as tf from '@tensorflow/tfjs-core'
import type { Sample } from '../dataset/dataset.ts'
import { validBatches } from '../input/loader.ts'
import type { Model } from '../model/architecture.ts'
import { inference } from '../model/inference.ts'
import { padded } from './padded.ts'
import { flipped, normalized, photosAtOnce } from './validate.ts'

interface Backbone {
  readonly model: Model
  /** Value of a parameter, by name. */
  readonly weight: (name: string) => Variable
  readonly preprocessing: Preprocessing
}

interface FeatureViews {
  readonly scale: number
  readonly flips: readonly View['flip'][]
  readonly signal: AbortSignal
}

/**
 * Pooled features of photos in their order, flip by flip for each photo, in pieces of some photos: what a backbone says in
 * float32, acting as in validation, through the preprocessing of the service. Stops between pieces, throwing the reason of
 * the signal; throws DATA_IMAGE_LOST for a photo that cannot be read.
 */
export async function* backboneFeatures(
  { model, weight, preprocessing }: Backbone,
  samples: readonly Sample[],
  { scale, flips, signal }: FeatureViews,
): AsyncGenerator<Float32Array> {
  const { size } = preprocessing
  const width = photosAtOnce(size)
  const backbone = compile(
    (photos: tf.Tensor) => {
      const values = new Map(model.parameters.map(({ name }) => [name, weight(name).read()]))
      const context = inference((parameter) => values.get(parameter)!)
      const images = normalized(photos, preprocessing)
      const features = flips.map((flip) => tf.mean(model.featureMap(flipped(images, flip), context), [1, 2]))
      return { features: tf.stack(features, 1) }
    },
    { name: 'features' },
  )
  try {
    for await (const { pixels, labels } of validBatches(samples, { preprocessing, batch: width, scale })) {
      signal.throwIfAborted()
      const photos = bytes(padded(pixels, width * size * size * 3), [width, size, size, 3])
      const { features } = await backbone.run(photos)
      const values = (await features.data()) as Float32Array
      tf.dispose([photos, features])
      yield values.subarray(0, labels.length * flips.length * model.featureCount)
    }
  } finally {
    backbone.dispose()
  }
}
