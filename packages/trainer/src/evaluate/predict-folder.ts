import { readdir, rm } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { answer } from '@flowers/shared/model/calibration'
import { openModel } from '@flowers/shared/model/package'
import { stringify } from 'csv-stringify/sync'
import { compareText } from '../dataset/listed-photo.ts'
import { requireWritableFile, writeOutput } from '../console/output.ts'
import { ViewScorer } from './view-scorer.ts'
import { openNetwork } from './network.ts'
import { decodePhotos } from './photos.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

export interface PredictOptions {
  /** A model folder. */
  readonly model: string
  /** Every file in it is a photo, in any depth of folders; hidden ones are left out. */
  readonly input: string
  /** The CSV to write; its folder is made if missing. */
  readonly out: string
  readonly onProgress?: OnProgress
}

export interface PredictResult {
  /** Photos with a line in the CSV. */
  readonly written: number
  /** Photos without one, in order of path; also in `<out>.errors.csv` as `path,reason`. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
}

/** Where the photos that could not be read are listed. */
export const errorsFileOf = (out: string): string => `${out}.errors.csv`

/**
 * Labels every photo of a folder by the model's own view policy: `path,label,confidence` a line, in order of path,
 * paths relative to the folder, confidence a calibrated probability. What cannot be read as a photo is listed with its
 * reason in `<out>.errors.csv`, which exists only then. Both files appear whole or not at all.
 * Throws what `requireWritableFile` throws of `out`, before anything else; what `openModel` throws; and PREDICT_INPUT when
 * there is no such folder or nothing in it.
 */
export async function predictFolder({ model, input, out, onProgress }: PredictOptions): Promise<PredictResult> {
  await requireWritableFile(out)
  const { network: path, manifest } = await openModel(model)
  const errorsFile = errorsFileOf(out)
  const photos = await listFiles(input, [out, errorsFile])
  const network = await openNetwork(path, manifest.preprocessing.size)
  const lines: [string, string, string][] = []
  const unreadable: { path: string; reason: string }[] = []
  try {
    const { preprocessing, views, viewPolicy, calibration } = manifest
    const scorer = new ViewScorer(network, preprocessing, views)
    for await (const decoded of decodePhotos(photos, preprocessing, views)) {
      const { id } = decoded.photo
      if (decoded.canvases === null) unreadable.push({ path: id, reason: decoded.reason })
      else {
        const { probabilities, used } = await scorer.answer(decoded.canvases, viewPolicy, calibration.fastLead)
        const best = answer(probabilities, used, manifest, 1).predictions[0]!
        lines.push([id, best.label, best.score.toFixed(6)])
      }
      onProgress?.(lines.length + unreadable.length, photos.length)
    }
  } finally {
    await network.release()
  }
  // A lone carriage return ends a line for some readers.
  await writeOutput(out, stringify([['path', 'label', 'confidence'], ...lines], { quoted_match: /[\r\t]|^\s|\s$/ }))
  if (unreadable.length === 0) await rm(errorsFile, { force: true })
  else {
    await writeOutput(
      errorsFile,
      stringify([['path', 'reason'], ...unreadable.map(({ path, reason }) => [path, reason])]),
    )
  }
  return { written: lines.length, unreadable }
}

interface ListedFile {
  readonly path: string
  /** Relative to the folder, with forward slashes. */
  readonly id: string
}

async function listFiles(folder: string, written: readonly string[]): Promise<ListedFile[]> {
  const root = resolve(folder)
  const entries = await readdir(root, { withFileTypes: true, recursive: true }).catch((cause: unknown) => {
    throw new TrainerError('PREDICT_INPUT', `"${folder}" cannot be listed: ${(cause as Error).message}`, { cause })
  })
  const own = new Set(written.map((path) => resolve(path)))
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !own.has(path))
    .map((path) => ({
      path,
      id: path
        .slice(root.length + 1)
        .split(sep)
        .join('/'),
    }))
    .filter(({ id }) => !id.split('/').some((name) => name.startsWith('.')))
    .sort((a, b) => compareText(a.id, b.id))
  if (files.length === 0) throw new TrainerError('PREDICT_INPUT', `"${folder}" holds no file.`)
  return files
}
