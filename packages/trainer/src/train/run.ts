import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import { writeFileAtomic } from '@flowers/shared/files'
import { auditDataset, formatAudit, requireNoErrors, withoutOffenders, type Audit } from '../dataset/audit.ts'
import { describeDataset, withoutPhotos, type Dataset } from '../dataset/dataset.ts'
import { ignoredPhotos } from '../dataset/ignore.ts'
import { openData } from '../dataset/open-data.ts'
import { PhotoCache } from '../input/photo-cache.ts'
import type { Model } from '../model/architecture.ts'
import { initialize, zeroValues } from '../model/init.ts'
import { findArchitecture } from '../model/registry.ts'
import { locateWeights } from '../model/weights/fetch.ts'
import { keptHead } from '../model/weights/kept-head.ts'
import { mapWeights } from '../model/weights/load.ts'
import { readSafetensors } from '../model/weights/safetensors.ts'
import { phaseNames, type PhaseName, type Recipe } from '../recipe/schema.ts'
import { choosingPhotos } from '../measure/split-validation.ts'
import { showWork } from '../console/bar.ts'
import { plural } from '../console/format.ts'
import { MetricsLog } from '../run/metrics-log.ts'
import type { Progress } from '../console/progress.ts'
import { TensorBoard } from '../run/tensorboard.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { readRunData } from '../run/data-file.ts'
import { describeEnvironment } from '../run/environment.ts'
import { isWrittenAtStart, runFiles } from '../run/files.ts'
import { openRunData } from '../run/run-data.ts'
import { resolvePrecision, type ResolvedRecipe } from '../recipe/precision.ts'
import { buildModel } from '../recipe/network.ts'
import { restoreVariables } from '../run/state.ts'
import { bestWeights, loadState, removeHalfWritten } from './checkpoints.ts'
import type { RunContext } from './context.ts'
import { compareForecast, type Forecast } from './forecast.ts'
import { finishedResult, type RunResult } from './finished.ts'
import { mostDemanding } from './memory.ts'
import { openPhase, requirePhaseFits } from './phase.ts'
import { isUntrained, legacyOf, noLegacy, startOf, updatesOf } from './position.ts'
import { variablesFor } from './step.ts'
import { sweepSizes } from './sweep.ts'
import { openTeacher } from './teacher.ts'
import { TrainerError } from '../errors.ts'

export interface RunOptions {
  readonly recipe: Recipe
  /** DATA of the command line. */
  readonly data: string
  /** The run folder; made if missing. */
  readonly folder: string
  readonly resume: boolean
  readonly progress: Progress
  /** Called with the photos after training; writes `report.html`. */
  readonly report?: (dataset: Dataset) => Promise<void>
  /** Abort to save and stop; its reason is what the promise rejects with. */
  readonly signal: AbortSignal
  /** When the training should be over, if that was planned. */
  readonly forecast?: Forecast | undefined
  /** Called when the run folder describes the run; a run that is stopped later can go on. */
  readonly onTraining?: () => void
}

/** Trains through the phases of a recipe, from the start or from the last saved state of the run folder. */
export async function trainRun(options: RunOptions): Promise<RunResult> {
  const { folder, progress, signal } = options
  const phases = phaseNames.filter((name) => options.recipe.phases[name].epochs > 0)
  const last = phases.at(-1)
  if (last === undefined)
    throw new TrainerError('USAGE', 'every phase of the recipe has 0 epochs: there is nothing to train')
  const state = options.resume ? await loadState(folder) : undefined
  const finished = state && (await finishedResult(folder, options.recipe, state.position))
  if (finished) {
    progress.message('this run has ended, and nothing of it is left to do')
    return finished
  }
  // Checked before the photos are read, which takes minutes if there are many.
  const weights = state === undefined ? await prepareWeights(options.recipe, progress, signal) : null
  const prepared = await prepareData(options)
  const { dataset } = prepared
  const model = buildModel(options.recipe, dataset.labels.length)
  requireFullBatches(options.recipe, dataset)
  const tensorflow = await startTensorflow({ deterministic: true }).catch((error: unknown) => {
    // Ctrl-C also ends a Python that is making its environment.
    signal.throwIfAborted()
    throw error
  })
  // Nothing is written yet.
  signal.throwIfAborted()
  const recipe = resolvePrecision(options.recipe, tensorflow.device)
  const log = await MetricsLog.open(join(folder, runFiles.metrics), state?.position.metricsBytes ?? 0)
  await mkdir(join(folder, runFiles.checkpoints), { recursive: true })
  await removeHalfWritten(folder)
  const board = new TensorBoard(folder, options.resume ? (state ? updatesOf(state.position) : 0) : null)
  const photos = new PhotoCache()
  // Photos that calibration is fitted on later must not choose the best weights.
  const valid = choosingPhotos(dataset.valid, recipe.data.selection, recipe.seed)
  const choosing = { ...dataset, valid }
  const untaught: RunContext = {
    folder,
    recipe,
    dataset: choosing,
    model,
    photos,
    teacher: null,
    log,
    board,
    progress,
    signal,
  }
  if (!options.resume) {
    await requireMemory(untaught, phases)
    await describeRun(recipe, options, prepared, tensorflow)
  }
  const teacher = await openTeacher(untaught).catch(async (error: unknown) => {
    if (!options.resume && !signal.aborted) await removeRun(folder)
    throw error
  })
  const context: RunContext = { ...untaught, teacher }
  options.onTraining?.()
  progress.message(
    `${recipe.model.architecture}, ${dataset.labels.length} classes, ${dataset.train.length} training and ${dataset.valid.length} validation photos${valid.length < dataset.valid.length ? ` (${valid.length} choose, the others are left to calibration)` : ''}, TensorFlow ${tensorflow.version} (${tensorflow.device}), ${recipe.precision}`,
  )

  let legacy = noLegacy
  for (const [index, name] of phases.entries()) {
    if (state && index < phases.indexOf(state.position.phase)) continue
    const saved = state?.position.phase === name ? state : undefined
    const previous = phases[index - 1]
    // A phase begins with the best weights of the one before it.
    const { values: start, known } = saved
      ? { values: zeroValues(model), known: 0 }
      : previous
        ? { values: await bestWeights(model, folder, previous), known: 0 }
        : await startingValues(context, weights)
    const variables = variablesFor(model, recipe.phases[name], recipe.precision, start)
    if (saved) restoreVariables(variables, saved)
    const position = saved?.position ?? startOf(name, recipe, log.bytes, legacy)
    // The head that a run begins with is random, or of a model that may have learnt from the photos that judge it here.
    const running = openPhase(context, name, variables, {
      position,
      startsTrained: index > 0,
      startsKnowing: known > 0,
    })
    try {
      await running.run()
      legacy = legacyOf(running.position)
    } catch (error) {
      // These settings cannot be trained, so the folder is left free for others.
      if (!options.resume && index === 0 && isUntrained(running.position) && isTooLarge(error)) await removeRun(folder)
      throw error
    } finally {
      variables.dispose()
    }
  }
  board.close()
  const { phase, accuracy } = legacy.leader!
  const best = { phase, accuracy, size: recipe.phases[phase].size }
  const chosen = recipe.sweep === null ? best : await sweepSizes(context, phases, recipe.sweep, phase)
  if (options.forecast) await compareForecast(context, options.forecast)
  await options.report?.(dataset)
  return { phase: chosen.phase, accuracy: chosen.accuracy, size: chosen.size, labels: dataset.labels }
}

interface PreparedData {
  readonly dataset: Dataset
  /** Null on resume, as it was written down at the start. */
  readonly audit: Audit | null
  /** Ids of the photos that the recipe or the audit took out. */
  readonly excluded: readonly string[]
}

async function prepareData({ recipe, data, folder, resume, progress, signal }: RunOptions): Promise<PreparedData> {
  if (resume) {
    const before = await readRunData(folder)
    const log = (line: string): void => progress.message(line)
    const dataset = await openRunData(data, { recipe, data: before }, { needs: 'all', log, signal })
    return { dataset, audit: null, excluded: before.excluded }
  }
  const { validShare, minimumSize } = recipe.data
  const opened = await openData(data, { seed: recipe.seed, validShare, signal })
  const ignored = ignoredPhotos(opened, recipe.data.ignore)
  if (recipe.data.ignore.length > 0) progress.message(`${ignored.length} training photos are left out by data.ignore`)
  const why = ({ length }: readonly unknown[]) => `${length} of ${length} are on its list`
  const kept = withoutPhotos(opened, new Set(ignored), { who: 'data.ignore', why })
  const audit = await auditDataset(kept, { minimumSize, onProgress: showWork('looking for flaws'), signal })
  progress.message(formatAudit(audit))
  if (recipe.data.exclude === 'audit') {
    const { dataset, excluded } = withoutOffenders(kept, audit)
    if (excluded.length > 0)
      progress.message(
        `${plural(excluded.length, 'photo')} of these errors ${excluded.length === 1 ? 'is' : 'are'} left out; it goes on without`,
      )
    return { dataset, audit, excluded: [...ignored, ...excluded] }
  }
  requireNoErrors(audit)
  return { dataset: kept, audit, excluded: ignored }
}

/** Throws TRAIN_BATCH_TOO_LARGE if the training photos of a phase would not fill a single batch. */
function requireFullBatches({ phases }: Recipe, { train }: Dataset): void {
  const wrong = phaseNames.find((name) => phases[name].epochs > 0 && phases[name].batch > train.length)
  if (wrong === undefined) return
  throw new TrainerError(
    'TRAIN_BATCH_TOO_LARGE',
    `phase ${wrong} asks for batches of ${phases[wrong].batch}, but there are only ${train.length} training photos`,
  )
}

/**
 * Throws TRAIN_MEMORY if the most demanding phase does not fit. Checked before anything is written, as the run would find
 * out hours later; each phase checks again when it begins. Removes the run folder's files if this fails or is stopped.
 */
async function requireMemory(context: RunContext, phases: readonly PhaseName[]): Promise<void> {
  const most = mostDemanding(context.recipe, phases)
  // What comes first is checked next, in the step that it trains with.
  if (most === undefined || most === phases[0]) return
  try {
    await requirePhaseFits(context, most)
    context.signal.throwIfAborted()
  } catch (error) {
    await removeRun(context.folder)
    throw error
  }
}

const isTooLarge = (error: unknown): boolean => error instanceof FlowersError && error.code === 'TRAIN_MEMORY'

/** Removes the files that a run writes before its first step is done. */
async function removeRun(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (isWrittenAtStart(name)) await rm(join(folder, name), { recursive: true })
}

/** Smaller differences of means and deviations are due to rounding. */
const sameNormalization = 0.001

/**
 * The file of the weights that the recipe starts from, fetched if need be; null: none. Warns if the normalisation differs.
 * Throws what `buildModel`, `locateWeights` and `mapWeights` throw.
 */
async function prepareWeights(recipe: Recipe, progress: Progress, signal: AbortSignal): Promise<string | null> {
  const { model, preprocessing } = recipe
  const ofOneClass = buildModel(recipe, 1)
  if (model.weights === null) return null
  const { normalization } = findArchitecture(model.architecture)
  const file = await locateWeights(model.weights, model.architecture, (line) => progress.message(line), signal)
  await pretrainedValues(ofOneClass, file)
  progress.message(`starting from the weights ${model.weights}`)
  const isOther = (['mean', 'std'] as const).some((key) =>
    preprocessing[key].some((value, channel) => Math.abs(value - normalization[key][channel]!) > sameNormalization),
  )
  if (isOther) {
    progress.message(
      `warning: weights of ${model.architecture} usually expect preprocessing.mean=${JSON.stringify(normalization.mean)} and preprocessing.std=${JSON.stringify(normalization.std)}; the recipe has others`,
    )
  }
  return file
}

/** Values by parameter, without those of the layers that are specific to classes. */
const pretrainedValues = async (model: Model, file: string): Promise<Map<string, Float32Array>> =>
  mapWeights(model, await readSafetensors(file), { head: 'skip' })

/** Seeded random values, overwritten by those of a file if there is one; its head too, as far as it is for these labels. */
async function startingValues(
  { model, recipe, dataset: { labels }, progress }: RunContext,
  weights: string | null,
): Promise<{ values: Map<string, Float32Array>; known: number }> {
  const fresh = initialize(model, recipe.seed)
  if (weights === null) return { values: fresh, known: 0 }
  const head = await keptHead(model, weights, labels, fresh)
  if (head !== undefined)
    progress.message(`it knows ${head.known} of the ${plural(labels.length, 'class', 'classes')} already`)
  const values = new Map([...fresh, ...(await pretrainedValues(model, weights)), ...(head?.values ?? [])])
  return { values, known: head?.known ?? 0 }
}

/** Describes the run in its folder before training; writes `data.json` last, as a run with that file can be resumed. */
async function describeRun(
  recipe: ResolvedRecipe,
  { data, folder }: RunOptions,
  { dataset, audit, excluded }: PreparedData,
  tensorflow: { version: string; device: string },
): Promise<void> {
  const write = (name: string, content: unknown) =>
    writeFileAtomic(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
  await write(runFiles.recipe, recipe)
  await write(runFiles.environment, await describeEnvironment(tensorflow))
  await write(runFiles.data, { source: data, excluded, ...describeDataset(dataset), audit })
}
