import { rm } from 'node:fs/promises'
import { answer } from '@flowers/shared/model/calibration'
import { openModel } from '@flowers/shared/model/package'
import { stringify } from 'csv-stringify/sync'
import type { PassedOver } from '../dataset/passed-over.ts'
import { requireWritableFile, writeOutput } from '../console/output.ts'
import { ViewScorer } from './view-scorer.ts'
import { openNetwork } from './network.ts'
import { decodePhotos } from './photos.ts'
import { listInput } from './predict-input.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

export interface PredictOptions {
  /** A model folder. */
  readonly model: string
  /** A photo, or a folder in which every file is one, in any depth of folders; but see `Walk`. */
  readonly input: string
  /** The CSV to write, its folder made if missing; null: none, nor a list of errors. */
  readonly out: string | null
  readonly onProgress?: OnProgress
}

export interface PredictResult {
  /** Photos with a line in the CSV. */
  readonly written: number
  /** The CSV. */
  readonly csv: string
  /** Photos without one, in order of path; also in `<out>.errors.csv` as `path,reason`. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
  /** What of the folder was not tried. */
  readonly passedOver: readonly PassedOver[]
  /** Whether a confidence of 0.9 is right in nine of ten photos of the classes; false: that was not fitted. */
  readonly calibrated: boolean
  /** Whether the model refuses pictures of none of its classes; false: each of them gets a label. */
  readonly refuses: boolean
}

/** Where the photos that could not be read are listed. */
export const errorsFileOf = (out: string): string => `${out}.errors.csv`

/**
 * Labels a photo, or every photo of a folder, by the model's own view policy: `path,label,confidence,level` a line, in order
 * of path, paths relative to the folder, confidence a probability, calibrated where the model is, level as of an answer of the service.
 * What cannot be read as a photo is listed with its
 * reason in `<out>.errors.csv`, which exists only then. Both files appear whole or not at all.
 * Throws what `requireWritableFile` throws of `out`, before anything else; what `openModel` and `listInput` throw; and
 * PREDICT_UNREADABLE, once both files are written, when nothing could be read.
 */
export async function predictFolder({ model, input, out, onProgress }: PredictOptions): Promise<PredictResult> {
  if (out !== null) await requireWritableFile(out)
  const { network: path, manifest } = await openModel(model)
  const own = out === null ? [] : [out, errorsFileOf(out)]
  const { photos, passedOver } = await listInput(input, own)
  const network = await openNetwork(path, manifest.preprocessing.size)
  const lines: [string, string, string, string][] = []
  const unreadable: { path: string; reason: string }[] = []
  try {
    const { preprocessing, views, viewPolicy, calibration } = manifest
    const scorer = new ViewScorer(network, preprocessing, views)
    for await (const decoded of decodePhotos(photos, preprocessing, views)) {
      const { id } = decoded.photo
      if (decoded.canvases === null) unreadable.push({ path: id, reason: decoded.reason })
      else {
        const { probabilities, used, known } = await scorer.answer(decoded.canvases, viewPolicy, calibration.fastLead)
        const { predictions, level } = answer({ mean: probabilities, used, known }, manifest, 1)
        const best = predictions[0]!
        lines.push([id, best.label, best.score.toFixed(6), level])
      }
      onProgress?.(lines.length + unreadable.length, photos.length)
    }
  } finally {
    await network.release()
  }
  // A lone carriage return ends a line for some readers.
  const csv = stringify([['path', 'label', 'confidence', 'level'], ...lines], { quoted_match: /[\r\t]|^\s|\s$/ })
  if (out !== null) {
    await writeOutput(out, csv)
    await writeErrors(errorsFileOf(out), unreadable)
  }
  if (lines.length === 0) {
    const [first] = unreadable
    const tried = photos.length === 1 ? 'The only file' : `Each of ${photos.length} files`
    throw new TrainerError(
      'PREDICT_UNREADABLE',
      `${tried} of "${input}" is no photo that can be read. ${first?.path}: ${first?.reason}${out === null ? '' : ` The list is ${errorsFileOf(out)}.`}`,
    )
  }
  const { temperature, known, abstention } = manifest.calibration
  return {
    written: lines.length,
    csv,
    unreadable,
    passedOver,
    calibrated: temperature !== null,
    refuses: Boolean(known ?? abstention),
  }
}

async function writeErrors(path: string, unreadable: PredictResult['unreadable']): Promise<void> {
  if (unreadable.length === 0) await rm(path, { force: true })
  else
    await writeOutput(path, stringify([['path', 'reason'], ...unreadable.map(({ path: id, reason }) => [id, reason])]))
}
