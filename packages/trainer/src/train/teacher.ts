import { applyTemperature } from '@flowers/shared/model/calibration'
import { exists } from '@flowers/shared/files'
import type { Manifest } from '@flowers/shared/model/manifest'
import { openModel } from '@flowers/shared/model/package'
import { showWork } from '../console/bar.ts'
import type { Dataset, Sample } from '../dataset/dataset.ts'
import { modelFolder } from '../evaluate/model-folder.ts'
import { openNetwork } from '../evaluate/network.ts'
import { scoreAllPhotos } from '../evaluate/score-photos.ts'
import { readSafetensors, writeSafetensors } from '../model/weights/safetensors.ts'
import type { Recipe, TeacherOptions } from '../recipe/schema.ts'
import { checkpointFiles, checkpointPath } from '../run/files.ts'
import { TrainerError } from '../errors.ts'

/** The targets that teachers give the training photos, softened by the temperature of the recipe. */
export class SoftTargets {
  readonly #values: Float32Array
  readonly #classes: number

  /** `values`: a row of probabilities a photo. */
  constructor(values: Float32Array, classes: number) {
    this.#values = values
    this.#classes = classes
  }

  /** Rows [N, K] of the photos at these places of the training photos. */
  rows(places: readonly number[]): Float32Array {
    const classes = this.#classes
    const rows = new Float32Array(places.length * classes)
    for (const [row, place] of places.entries())
      rows.set(this.#values.subarray(place * classes, (place + 1) * classes), row * classes)
    return rows
  }
}

interface Teaching {
  /** The run folder. */
  readonly folder: string
  readonly recipe: Pick<Recipe, 'teacher'>
  readonly dataset: Pick<Dataset, 'labels' | 'train'>
  readonly signal: AbortSignal
}

/**
 * The soft targets of a run: the mean probability that its teachers, exported models, give each training photo in their
 * plain view. Computed once through the preprocessing of the service and kept in the run folder, so that a run that goes
 * on needs no teacher any more. Null where the recipe has none.
 * Throws TRAIN_TEACHER for a teacher that lacks a class, and what `modelFolder` and `openModel` throw.
 */
export async function openTeacher(context: Teaching): Promise<SoftTargets | null> {
  const { recipe, folder, dataset } = context
  if (recipe.teacher === null) return null
  const { temperature } = recipe.teacher
  const classes = dataset.labels.length
  const path = checkpointPath(folder, checkpointFiles.teacher)
  const kept = (await exists(path)) ? (await readSafetensors(path)).get('probabilities')!.data : undefined
  const means = (kept ?? (await ask(context, recipe.teacher))) as Float32Array
  if (kept === undefined)
    await writeSafetensors(path, new Map([['probabilities', { shape: [dataset.train.length, classes], data: means }]]))
  const soft = new Float32Array(means.length)
  for (let first = 0; first < means.length; first += classes)
    soft.set(applyTemperature(means.subarray(first, first + classes), temperature), first)
  return new SoftTargets(soft, classes)
}

async function ask({ dataset, signal }: Teaching, { models }: TeacherOptions): Promise<Float32Array> {
  const { labels, train } = dataset
  const folders = await Promise.all(models.map(modelFolder))
  const opened = await Promise.all(folders.map((folder) => openModel(folder)))
  const places = opened.map(({ manifest }) => placesOf(manifest, labels))
  const means = new Float32Array(train.length * labels.length)
  for (const [index, { manifest, network: path }] of opened.entries()) {
    const { preprocessing, views, name, version } = manifest
    const network = await openNetwork(path, preprocessing.size)
    const show = showWork(`the teacher ${name} ${version}`)
    const onProgress = (done: number, of: number): void => {
      signal.throwIfAborted()
      show(done, of)
    }
    try {
      const scored = await scoreAllPhotos(network, train, { preprocessing, views: views.slice(0, 1), onProgress })
      for (const [photo, { views: rows }] of scored.entries())
        for (const [row, place] of places[index]!.entries())
          means[photo * labels.length + row]! += rows[0]![place]! / opened.length
    } finally {
      await network.release()
    }
  }
  return means
}

/** Where the classes of the run are among those of a teacher. */
function placesOf({ name, labels: known }: Manifest, labels: readonly string[]): number[] {
  const missing = labels.filter((label) => !known.includes(label))
  if (missing.length > 0)
    throw new TrainerError(
      'TRAIN_TEACHER',
      `the model "${name}" does not know ${missing.length} of the ${labels.length} classes: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}`,
    )
  return labels.map((label) => known.indexOf(label))
}

/** Places of training photos, by photo. */
export const placesIn = (train: readonly Sample[]): ReadonlyMap<Sample, number> =>
  new Map(train.map((sample, place) => [sample, place]))
