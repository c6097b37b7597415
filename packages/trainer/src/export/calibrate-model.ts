import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withTemporaryFolder } from '@flowers/shared/files'
import type { Manifest } from '@flowers/shared/model/manifest'
import { modelFiles, openModel, packageModel } from '@flowers/shared/model/package'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import type { Calibration } from '../measure/calibrate.ts'
import { calibrationHalves, fewestToSplit } from '../measure/split-validation.ts'
import { whyNotFitted } from '../measure/why-not-fitted.ts'
import { choosingOf } from '../evaluate/choosing-of-model.ts'
import { openOthers } from '../evaluate/others.ts'
import { openCalibrationPhotos } from '../evaluate/photos-of-model.ts'
import { calibrationMetrics, calibrationSection, replaceCalibration } from './card-calibration.ts'
import { fitNetwork, usualRefusedShare } from './fit-network.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

export interface CalibrateOptions {
  /** A model folder. */
  readonly model: string
  /** DATA of the command line. */
  readonly data: string
  /** Drawn pictures without a flower of each kind; 20 unless said. */
  readonly each?: number
  /** Photos of anything that is none of the classes; beside those of `others/` of the data. */
  readonly others?: string | undefined
  /** Share of photos of the classes that may be refused, in (0, 1); that of the model unless said, else 0.05. */
  readonly refusedShare?: number | undefined
  /** Hears of work, by its name. */
  readonly progress?: (what: string) => OnProgress
}

export interface Calibrated {
  readonly manifest: Manifest
  /** Of the card. */
  readonly section: string
  /** Photos, of whichever split, that are left out because the run left them out. */
  readonly excluded: number
  /** A sentence on what a person may not expect of what was fitted; null: nothing. */
  readonly warning: string | null
}

/**
 * Fits the calibration of a model folder anew on the split `valid` of photos, as an export does, with the seed of the
 * manifest: on the half that did not choose the checkpoint, where these are the photos of the model's run, and on half of
 * them where they are others. Too few of them fit nothing, and manifest and card say so. Manifest, card and the outputs of
 * the network that are fitted change, with everything else kept; the folder is replaced as a whole.
 * Throws what `openModel` and `openDataset` throw, EVALUATE_LABELS for photos of classes that the model does not have,
 * EVALUATE_SPLIT without photos in `valid`, CALIBRATE_FEWER where these photos cannot fit what is there, by out-of-fold answers or to refuse,
 * DATA_IMAGE_LOST for one that cannot be read, and what `openOthers` and `fitNetwork` throw. Nothing has changed then.
 */
export async function calibrateModel(options: CalibrateOptions): Promise<Calibrated> {
  const { model, data, each, progress = () => undefined } = options
  const opened = await openModel(model)
  const { files, ...manifest } = opened.manifest
  const { samples, training, sha256, excluded, ...ofData } = await openCalibrationPhotos(opened.manifest, data)
  const others = await openOthers(options.others, ofData)
  const { preprocessing, views, labels } = manifest
  const { seed } = manifest.data
  const choosing = sha256 === manifest.data.sha256 ? choosingOf(manifest) : 'none'
  const why = whyNotFitted({ valid: samples.length, choosing, train: manifest.data.train })
  const isEnough = calibrationHalves(samples, choosing, seed) !== null
  if (manifest.calibration.networks !== undefined && !isEnough)
    throw new TrainerError('CALIBRATE_FEWER', `${why}, and the calibration by out-of-fold answers stays as it is`)
  const taught = new Set(training.map(({ index }) => index)).size
  // A model that refuses is never made one that names everything.
  if (manifest.calibration.known && (!isEnough || taught < labels.length)) {
    const missing = `photos to learn from (split train) are there of ${taught} of the ${labels.length} classes`
    throw new TrainerError('CALIBRATE_FEWER', `${isEnough ? missing : why}, and what the model refuses stays as it is`)
  }
  const { python } = await ensurePythonEnvironment()
  return withTemporaryFolder(join(tmpdir(), 'flowers-calibrate-'), async (folder) => {
    const { calibration, quality, known, onnx } = await fitNetwork({
      network: opened.network,
      folder,
      python,
      preprocessing,
      views,
      labels,
      seed,
      photos: samples,
      training,
      others,
      choosing,
      refusedShare: options.refusedShare ?? manifest.calibration.known?.refusedShare ?? usualRefusedShare,
      each,
      progress,
    })
    const photos = `of ${samples.length} validation photos (SHA-256 of their list: \`${sha256}\`)`
    const section = calibrationSection({ calibration, views, quality, known, photos, why })
    const { nonFlowers: _, refusals: __, levels: ___, ...metrics } = manifest.metrics
    const changed = { ...manifest, calibration, metrics: { ...metrics, ...calibrationMetrics(quality, known) } }
    const card = replaceCalibration(await readFile(join(model, modelFiles.card), 'utf8'), section)
    const kept = Object.fromEntries(Object.keys(files).map((path) => [path, { copyOf: join(model, path) }]))
    const sources = { ...kept, [modelFiles.network]: { copyOf: onnx }, [modelFiles.card]: card }
    const written = await packageModel(model, sources, changed, { replace: true })
    return {
      manifest: written.manifest,
      section,
      excluded,
      warning: warningOf(manifest.calibration, calibration, others.length),
    }
  })
}

function warningOf({ known: before }: Calibration, { known: after }: Calibration, others: number): string | null {
  if (others > 0 && !after)
    return `The photos of others were not used, and nothing is refused: that takes ${fewestToSplit} photos in the split valid, and in the split train photos of every class.`
  if (before?.form !== 'trained' || after?.form === 'trained') return null
  return 'Before, the model refused pictures by what it had learnt from photos of others; now it is held against feature vectors of training photos, which became part of its file, and refuses fewer. With --others, and photos enough, it learns that again.'
}
