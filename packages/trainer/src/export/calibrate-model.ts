import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@flowers/shared/model/manifest'
import { modelFiles, openModel, packageModel } from '@flowers/shared/model/package'
import { calibrateNetwork } from '../evaluate/calibrate-network.ts'
import { openNetwork } from '../evaluate/network.ts'
import { openPhotosOf } from '../evaluate/photos-of-model.ts'
import { scoreAllPhotos } from '../evaluate/score-photos.ts'
import { calibrationMetrics, calibrationSection, replaceCalibration } from './card-calibration.ts'
import type { OnProgress } from '../console/bar.ts'

export interface CalibrateOptions {
  /** A model folder. */
  readonly model: string
  /** DATA of the command line. */
  readonly data: string
  /** Drawn pictures without a flower of each kind; 20 unless said. */
  readonly each?: number
  readonly onPhoto?: OnProgress
  /** Like `onPhoto`, for the drawn pictures without a flower. */
  readonly onPicture?: OnProgress
}

export interface Calibrated {
  readonly manifest: Manifest
  /** Of the card. */
  readonly section: string
  /** Photos, of whichever split, that are left out because the run left them out. */
  readonly excluded: number
}

/**
 * Fits the calibration of a model folder anew on the split `valid` of photos, as an export does, with the seed of the
 * manifest. Manifest and card change, with everything else in them kept; the folder is replaced as a whole.
 * Throws what `openModel` and `openDataset` throw, EVALUATE_LABELS for photos of classes that the model does not have,
 * EVALUATE_SPLIT without photos in `valid` and DATA_IMAGE_LOST for one that cannot be read. Nothing has changed then.
 */
export async function calibrateModel(options: CalibrateOptions): Promise<Calibrated> {
  const { model, data, each, onPhoto, onPicture } = options
  const opened = await openModel(model)
  const { files, ...manifest } = opened.manifest
  const { samples, sha256, excluded } = await openPhotosOf(opened.manifest, { data, split: 'valid' })
  const { preprocessing, views } = manifest
  const { seed } = manifest.data
  const network = await openNetwork(opened.network, preprocessing.size)
  try {
    const scored = await scoreAllPhotos(network, samples, { preprocessing, views, onProgress: onPhoto })
    const { calibration, quality, nonFlowers } = await calibrateNetwork(network, scored, {
      preprocessing,
      views,
      seed,
      each,
      onProgress: onPicture,
    })
    const photos = `of ${samples.length} validation photos (SHA-256 of their list: \`${sha256}\`)`
    const section = calibrationSection({ calibration, views, quality, nonFlowers, photos })
    const { nonFlowers: _, ...metrics } = manifest.metrics
    const changed = { ...manifest, calibration, metrics: { ...metrics, ...calibrationMetrics(quality, nonFlowers) } }
    const card = replaceCalibration(await readFile(join(model, modelFiles.card), 'utf8'), section)
    const kept = Object.fromEntries(Object.keys(files).map((path) => [path, { copyOf: join(model, path) }]))
    const written = await packageModel(model, { ...kept, [modelFiles.card]: card }, changed, { replace: true })
    return { manifest: written.manifest, section, excluded }
  } finally {
    await network.release()
  }
}
