import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@flowers/shared/model/manifest'
import { modelFiles, openModel, packageModel } from '@flowers/shared/model/package'
import { calibrationHalves } from '../measure/split-validation.ts'
import { whyNotFitted } from '../measure/why-not-fitted.ts'
import { calibrateNetwork } from '../evaluate/calibrate-network.ts'
import { choosingOf } from '../evaluate/choosing-of-model.ts'
import { openNetwork } from '../evaluate/network.ts'
import { openPhotosOf } from '../evaluate/photos-of-model.ts'
import { scoreAllPhotos } from '../evaluate/score-photos.ts'
import { calibrationMetrics, calibrationSection, replaceCalibration } from './card-calibration.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

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
 * manifest: on the half that did not choose the checkpoint, where these are the photos of the model's run, and on half of
 * them where they are others. Too few of them fit nothing, and manifest and card say so. Manifest and card change, with
 * everything else in them kept; the folder is replaced as a whole.
 * Throws what `openModel` and `openDataset` throw, EVALUATE_LABELS for photos of classes that the model does not have,
 * EVALUATE_SPLIT without photos in `valid`, CALIBRATE_FEWER where out-of-fold answers fitted what these photos cannot, and DATA_IMAGE_LOST for one that cannot be read. Nothing has changed then.
 */
export async function calibrateModel(options: CalibrateOptions): Promise<Calibrated> {
  const { model, data, each, onPhoto, onPicture } = options
  const opened = await openModel(model)
  const { files, ...manifest } = opened.manifest
  const { samples, sha256, excluded } = await openPhotosOf(opened.manifest, { data, split: 'valid' })
  const { preprocessing, views } = manifest
  const { seed } = manifest.data
  const choosing = sha256 === manifest.data.sha256 ? choosingOf(manifest) : 'none'
  const why = whyNotFitted({ valid: samples.length, choosing, train: manifest.data.train })
  if (manifest.calibration.networks !== undefined && calibrationHalves(samples, choosing, seed) === null)
    throw new TrainerError('CALIBRATE_FEWER', `${why}, and the calibration by out-of-fold answers stays as it is`)
  const network = await openNetwork(opened.network, preprocessing.size)
  try {
    const scored = await scoreAllPhotos(network, samples, { preprocessing, views, onProgress: onPhoto })
    const { calibration, quality, nonFlowers } = await calibrateNetwork(network, scored, {
      preprocessing,
      views,
      seed,
      choosing,
      each,
      onProgress: onPicture,
    })
    const photos = `of ${samples.length} validation photos (SHA-256 of their list: \`${sha256}\`)`
    const section = calibrationSection({ calibration, views, quality, nonFlowers, photos, why })
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
