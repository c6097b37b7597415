import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from '@flowers/shared/files'
import { plural } from '../console/format.ts'
import type { Progress } from '../console/progress.ts'
import { grouped, inspectAll, keepAside, type Dataset } from '../dataset/dataset.ts'
import { foldsOf } from '../dataset/folds.ts'
import { choosingPhotos, fewestToFit, fewestToSplit } from '../measure/split-validation.ts'
import { phaseNames, type Recipe } from '../recipe/schema.ts'
import { foldFolder, runFiles } from '../run/files.ts'
import { readFoldPlan, writeFoldPlan, type FoldPlan } from '../run/fold-plan.ts'
import { trainRun, type PreparedData } from '../train/run.ts'
import { runSeconds } from './cost.ts'
import { measureSpeed } from './measure-speed.ts'
import { foldWords } from './plan-words.ts'
import { TrainerError } from '../errors.ts'

export interface FoldsOptions {
  /** How many: `--folds`. */
  readonly folds: number
  /** The folder of the run that the folds belong to. */
  readonly run: string
  /** DATA of the command line. */
  readonly data: string
  readonly recipe: Recipe
  /** Whether what all of it takes has been said. */
  readonly isPlanned: boolean
  readonly progress: Progress
  readonly signal: AbortSignal
  /** Asks the network of a fold about its photos, and writes its answers into the fold's run folder. */
  readonly score: (folder: string, fold: Dataset, sha256: string) => Promise<void>
  /** Trains the run of a fold; another one stands in for it. */
  readonly train?: typeof trainRun
  /** Measures the machine; another one stands in for it. */
  readonly measure?: typeof measureSpeed
}

/**
 * Deals the training photos of a run into folds and writes them down, before the run is described: from then on it goes
 * on with them. Throws USAGE where a fold would be empty, TRAIN_BATCH_TOO_LARGE where too few photos are left beside one.
 */
export async function planFolds(
  { folds, run, recipe, signal }: Pick<FoldsOptions, 'folds' | 'run' | 'recipe' | 'signal'>,
  dataset: Dataset,
): Promise<void> {
  const inspections = await inspectAll(dataset.train, dataset, { signal })
  const foldOf = foldsOf(grouped(dataset.train, dataset, inspections), { folds, seed: recipe.seed })
  const sizes = sizesOf({ folds, photos: [...foldOf] })
  if (sizes.includes(0))
    throw new TrainerError(
      'USAGE',
      `--folds ${folds} is too many for ${plural(dataset.train.length, 'training photo')} in ${plural(dataset.labels.length, 'class', 'classes')}: fewer of them, or more photos`,
    )
  requireBatches(recipe, dataset.train.length - Math.max(...sizes))
  await writeFoldPlan(run, { folds, photos: [...foldOf] })
}

function requireBatches({ phases }: Pick<Recipe, 'phases'>, left: number): void {
  const wrong = phaseNames.find((name) => phases[name].epochs > 0 && phases[name].batch > left)
  if (wrong === undefined) return
  throw new TrainerError(
    'TRAIN_BATCH_TOO_LARGE',
    `phase ${wrong} asks for batches of ${phases[wrong].batch}, but without the largest fold only ${left} training photos are left`,
  )
}

const sizesOf = ({ folds, photos }: FoldPlan): number[] =>
  Array.from({ length: folds }, (_, fold) => photos.filter(([, own]) => own === fold).length)

/**
 * Runs the recipe once for each fold that has no answers yet, on the training photos without it, and asks its network
 * about the photos of the fold. A fold that was stopped or killed goes on where it was.
 */
export async function trainFolds(
  options: FoldsOptions,
  prepared: Pick<PreparedData, 'dataset' | 'excluded'>,
): Promise<void> {
  const { run, data, recipe, progress, signal, score, train = trainRun } = options
  const { dataset, excluded } = prepared
  const plan = (await readFoldPlan(run))!
  const { folds, photos } = plan
  const isDone = await Promise.all(
    Array.from({ length: folds }, (_, fold) => exists(join(foldFolder(run, fold), runFiles.outOfFold))),
  )
  if (isDone.every(Boolean)) return
  if (!isDone.some(Boolean)) await sayWhatComes(options, plan, dataset)
  for (let fold = 0; fold < folds; fold++) {
    if (isDone[fold]) continue
    const own = keepAside(dataset, new Set(photos.flatMap(([id, place]) => (place === fold ? [id] : []))))
    const folder = foldFolder(run, fold)
    const resume = await exists(join(folder, runFiles.data))
    progress.message(
      `--- fold ${fold + 1} of ${folds}: ${resume ? 'goes on learning' : 'learns'} from ${own.train.length} of the ${dataset.train.length} training photos; the other ${own.test.length} are asked about afterwards`,
    )
    await mkdir(folder, { recursive: true })
    await train({ recipe, data, folder, resume, progress, signal, prepared: { dataset: own, audit: null, excluded } })
    await score(folder, own, dataset.sha256).catch((error: unknown) => {
      // Ctrl-C also ends the Python that converts a network.
      signal.throwIfAborted()
      throw error
    })
    signal.throwIfAborted()
  }
  progress.message(`--- the folds are done; the run itself learns from all ${dataset.train.length} training photos`)
}

/** Says what folds are worth here, and how long all of it takes. */
async function sayWhatComes(
  { recipe, isPlanned, progress, signal, measure = measureSpeed }: FoldsOptions,
  plan: FoldPlan,
  dataset: Dataset,
): Promise<void> {
  const log = (line: string): void => progress.message(line)
  const { selection } = recipe.data
  if (selection === 'half' && dataset.valid.length >= fewestToSplit)
    log(
      `of the ${dataset.valid.length} validation photos half choose nothing, enough to calibrate on: the answers of the folds are kept, and the calibration does without them`,
    )
  else if (plan.photos.length < fewestToFit)
    log(
      `the folds have ${plural(plan.photos.length, 'photo')}; with under ${fewestToFit} nothing will be calibrated all the same`,
    )
  if (isPlanned) return
  const speed = await measure(recipe, dataset, { log, signal })
  const valid = choosingPhotos(dataset.valid, selection, recipe.seed).length
  log(foldWords(plan.folds, runSeconds(recipe, speed, { train: dataset.train.length, valid }, plan.folds)))
}
