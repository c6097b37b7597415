import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from '@flowers/shared/model/manifest'
import { packageModel, type ModelPackage } from '@flowers/shared/model/package'
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { sixViews } from '@flowers/shared/image/view'

/** Labels of fixtures/templates/model.onnx, by index. */
export const templateLabels = ['red', 'green', 'blue', 'grey', 'left', 'right', 'top', 'bottom']

/**
 * Packages the network of fixtures/templates (hand-made weights, 32 x 32 pixels, 7 kB) as `<models>/templates/1`.
 * `change` alters the manifest; where its calibration refuses by `known`, the network has that output.
 */
export async function packageTemplateModel(models: string, change: Partial<Manifest> = {}): Promise<ModelPackage> {
  const share = { value: 1, low: 0.9, high: 1, count: 32 }
  const manifest: Omit<Manifest, 'files'> = {
    format: 1,
    name: 'templates',
    version: 1,
    created: '2026-01-01T00:00:00Z',
    architecture: 'convnext_templates',
    labels: templateLabels,
    classPrior: templateLabels.map(() => 1 / templateLabels.length),
    preprocessing: { size: 32, cropFraction: 0.8, kernel: 'bicubic', ...imagenetNormalization },
    views: [...sixViews],
    viewPolicy: 'exact',
    calibration: { temperature: sixViews.map(() => 1), conformal: null, abstention: null, fastLead: null },
    metrics: { split: 'valid', top1: share, top5: share, macroF1: share, ece: { before: 0, after: 0, bins: 15 } },
    parity: { photos: 64, maxAbsLogitDifference: 0, flips: 0 },
    quantization: null,
    data: { sha256: '0'.repeat(64), train: 1, valid: 1, seed: 1 },
    recipe: {},
    versions: {},
    ...change,
  }
  const file = manifest.calibration.known ? 'known.onnx' : 'model.onnx'
  const network = fileURLToPath(new URL(`fixtures/templates/${file}`, import.meta.url))
  const files = { 'onnx/model.onnx': { copyOf: network }, 'README.md': '# Templates\n' }
  return packageModel(join(models, manifest.name, String(manifest.version)), files, manifest)
}
