import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import { writeFileAtomic } from '@flowers/shared/files'
import type { Audit } from '../dataset/audit.ts'
import { auditDataset, formatAudit, requireSound, withoutOffenders } from '../dataset/audit.ts'
import { describeDataset, withoutPhotos } from '../dataset/dataset.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { ignoredPhotos } from '../dataset/ignore.ts'
import { openData } from '../dataset/open-data.ts'
import { PhotoCache } from '../input/photo-cache.ts'
import type { Model } from '../model/architecture.ts'
import { initialize, zeroValues } from '../model/init.ts'
import { findArchitecture } from '../model/registry.ts'
import { locateWeights } from '../model/weights/fetch.ts'
import { mapWeights } from '../model/weights/load.ts'
import { readSafetensors } from '../model/weights/safetensors.ts'
import type { PhaseName, Recipe } from '../recipe/schema.ts'
import { phaseNames } from '../recipe/schema.ts'
import { choosingPhotos } from '../measure/split-validation.ts'
import { showWork } from '../console/bar.ts'
import { MetricsLog } from '../run/metrics-log.ts'
import type { Progress } from '../console/progress.ts'
import { TensorBoard } from '../run/tensorboard.ts'
import { startTensorflow } from '../tensorflow/index.ts'
import { readRunData } from '../run/data-file.ts'
import { describeEnvironment } from '../run/environment.ts'
import { checkpointFiles, checkpointPath, isWrittenAtStart, runFiles } from '../run/files.ts'
import { PhaseRunner, startOf, updatesOf } from './phase.ts'
import type { PhaseContext } from './phase.ts'
import { resolvePrecision } from '../recipe/precision.ts'
import type { ResolvedRecipe } from '../recipe/precision.ts'
import { buildModel } from '../recipe/network.ts'
import { readState, restoreVariables } from '../run/state.ts'
import type { SavedState } from '../run/state.ts'
import { variablesFor } from './step.ts'
import { sweepSizes } from './sweep.ts'

export interface RunOptions {
  readonly recipe: Recipe
  /** DATA of the command line. */
  readonly data: string
  /** The run folder; made if missing. */
  readonly folder: string
  readonly resume: boolean
  readonly progress: Progress
  /** Called with the photos when everything is trained: writes `report.html`. */
  readonly report?: (dataset: Dataset) => Promise<void>
  /** Abort to save and stop; its reason is what the promise rejects with. */
  readonly signal: AbortSignal
  /** Called when the run folder says what the run is: from then on a stopped run can go on. */
  readonly onTraining?: () => void
}

export interface RunResult {
  readonly phase: PhaseName
  /** Validation accuracy of `checkpoints/best.safetensors`, in [0, 1]. */
  readonly accuracy: number
  readonly size: number
  readonly labels: readonly string[]
}

/** Trains through the phases of a recipe, from the start or from the last saved state of the run folder. */
export async function trainRun(options: RunOptions): Promise<RunResult> {
  const { folder, progress, signal } = options
  const phases = phaseNames.filter((name) => options.recipe.phases[name].epochs > 0)
  const last = phases.at(-1)
  if (last === undefined)
    throw new FlowersError('USAGE', 'every phase of the recipe has 0 epochs: there is nothing to train')
  const state = options.resume ? await loadState(folder) : undefined
  // What is wrong with them is found before the photos are read, which takes minutes where they are many.
  const weights = state === undefined ? await prepareWeights(options.recipe, progress, signal) : null
  const prepared = await prepareData(options)
  const { dataset } = prepared
  const model = buildModel(options.recipe, dataset.labels.length)
  requireFullBatches(options.recipe, dataset)
  const tensorflow = await startTensorflow({ deterministic: true }).catch((error: unknown) => {
    // Ctrl-C ends a Python that is making its environment too.
    signal.throwIfAborted()
    throw error
  })
  // Nothing is written yet.
  signal.throwIfAborted()
  const recipe = resolvePrecision(options.recipe, tensorflow.device)
  const log = await MetricsLog.open(join(folder, runFiles.metrics), state?.position.metricsBytes ?? 0)
  await mkdir(join(folder, runFiles.checkpoints), { recursive: true })
  await removeHalfWritten(join(folder, runFiles.checkpoints))
  const board = new TensorBoard(folder, options.resume ? (state ? updatesOf(state.position) : 0) : null)
  const photos = new PhotoCache()
  // What calibration is fitted on later has chosen nothing.
  const valid = choosingPhotos(dataset.valid, recipe.data.selection, recipe.seed)
  const choosing = { ...dataset, valid }
  const context: PhaseContext = { folder, recipe, dataset: choosing, model, photos, log, board, progress, signal }
  if (!options.resume) {
    await requireMemory(context, phases)
    await describeRun(recipe, options, prepared, tensorflow)
  }
  options.onTraining?.()
  progress.message(
    `${recipe.model.architecture}, ${dataset.labels.length} classes, ${dataset.train.length} training and ${dataset.valid.length} validation photos${valid.length < dataset.valid.length ? ` (${valid.length} choose, the others are left to calibration)` : ''}, TensorFlow ${tensorflow.version} (${tensorflow.device}), ${recipe.precision}`,
  )

  let accuracy = 0
  let spent = { seconds: state?.position.seconds ?? 0, updates: 0 }
  for (const [index, name] of phases.entries()) {
    if (state && index < phases.indexOf(state.position.phase)) continue
    const saved = state?.position.phase === name ? state : undefined
    const previous = phases[index - 1]
    // A phase begins where the one before it was best.
    const start = saved
      ? weightsOf(model, saved)
      : previous
        ? await bestWeights(model, folder, previous)
        : await startingValues(model, recipe, weights)
    const variables = variablesFor(model, recipe.phases[name], recipe.precision, start)
    if (saved) restoreVariables(variables, saved)
    const position = saved?.position ?? startOf(name, recipe, log.bytes, spent)
    const runner = new PhaseRunner(context, name, variables, position)
    try {
      const best = await runner.run()
      accuracy = best.accuracy
      spent = { seconds: runner.seconds, updates: runner.updates }
    } catch (error) {
      // Nothing can be trained with these settings: the folder is free for others.
      if (!options.resume && index === 0 && runner.untrained && isTooLarge(error)) await removeRun(folder)
      throw error
    } finally {
      variables.dispose()
    }
  }
  board.close()
  const best = { phase: last, accuracy, size: recipe.phases[last].size }
  const chosen = recipe.sweep === null ? best : await sweepSizes(context, phases, recipe.sweep)
  await options.report?.(dataset)
  return { phase: chosen.phase, accuracy: chosen.accuracy, size: chosen.size, labels: dataset.labels }
}

interface PreparedData {
  readonly dataset: Dataset
  /** Null when the run goes on: it was written down at its start. */
  readonly audit: Audit | null
  /** Ids of the photos that the recipe or the audit took out. */
  readonly excluded: readonly string[]
}

async function prepareData({ recipe, data, folder, resume, progress, signal }: RunOptions): Promise<PreparedData> {
  const { validShare, minimumSize } = recipe.data
  const opened = await openData(data, { seed: recipe.seed, validShare, signal })
  if (resume) {
    const before = await readRunData(folder)
    const dataset = withoutPhotos(opened, new Set(before.excluded))
    if (dataset.sha256 !== before.sha256) {
      throw new FlowersError(
        'TRAIN_DATA_CHANGED',
        `${data} is not what this run was started on: ${describeChange(before.photos, dataset)}`,
      )
    }
    return { dataset, audit: null, excluded: before.excluded }
  }
  const ignored = ignoredPhotos(opened, recipe.data.ignore)
  if (recipe.data.ignore.length > 0) progress.message(`${ignored.length} training photos are left out by data.ignore`)
  const kept = withoutPhotos(opened, new Set(ignored))
  const audit = await auditDataset(kept, { minimumSize, onProgress: showWork('looking for flaws'), signal })
  progress.message(formatAudit(audit))
  if (recipe.data.exclude === 'audit') {
    const { dataset, excluded } = withoutOffenders(kept, audit)
    return { dataset, audit, excluded: [...ignored, ...excluded] }
  }
  requireSound(audit)
  return { dataset: kept, audit, excluded: ignored }
}

function describeChange(before: readonly { id: string; sha256: string }[], { files }: Dataset): string {
  const known = new Set(before.map(({ id }) => id))
  const changed = before.filter(({ id, sha256 }) => files.get(id)?.sha256 !== sha256).map(({ id }) => id)
  const added = [...files.keys()].filter((id) => !known.has(id))
  const list = (title: string, ids: readonly string[]): string[] =>
    ids.length === 0
      ? []
      : [`${title}: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`]
  return [...list('changed or gone', changed), ...list('new', added)].join('; ') || 'photos moved between the splits'
}

/** Throws TRAIN_BATCH_TOO_LARGE where a phase that is run would not fill a single batch. */
function requireFullBatches({ phases }: Recipe, { train }: Dataset): void {
  const wrong = phaseNames.find((name) => phases[name].epochs > 0 && phases[name].batch > train.length)
  if (wrong === undefined) return
  throw new FlowersError(
    'TRAIN_BATCH_TOO_LARGE',
    `phase ${wrong} asks for batches of ${phases[wrong].batch}, but there are only ${train.length} training photos`,
  )
}

/**
 * Throws TRAIN_MEMORY where the phase that takes most does not fit, before anything is written: else the run would find
 * out after hours. The same where it is stopped meanwhile. Each phase looks once more when it begins.
 */
async function requireMemory(context: PhaseContext, phases: readonly PhaseName[]): Promise<void> {
  const { recipe, model } = context
  const taken = (name: PhaseName): number => {
    const { size, batch, trainable } = recipe.phases[name]
    return batch * size ** 2 * (trainable === 'all' ? 1 : headShare)
  }
  const most = phases
    .filter((name) => recipe.phases[name].features !== 'cached')
    .toSorted((a, b) => taken(b) - taken(a))[0]
  if (most === undefined) return
  const variables = variablesFor(model, recipe.phases[most], recipe.precision, zeroValues(model))
  try {
    await new PhaseRunner(
      context,
      most,
      variables,
      startOf(most, recipe, 0, { seconds: 0, updates: 0 }),
    ).requireMemory()
    context.signal.throwIfAborted()
  } catch (error) {
    await removeRun(context.folder)
    throw error
  } finally {
    variables.dispose()
  }
}

/** About what a photo takes where the backbone keeps nothing for its gradient, as a share. */
const headShare = 0.2

const isTooLarge = (error: unknown): boolean => error instanceof FlowersError && error.code === 'TRAIN_MEMORY'

/** Removes what a run writes until its first step is done. */
async function removeRun(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (isWrittenAtStart(name)) await rm(join(folder, name), { recursive: true })
}

/** Means and deviations that differ by less are the same, rounded. */
const sameNormalization = 0.001

/**
 * The file of the weights that the recipe starts from, fetched if need be; null: none. Warns of another normalisation.
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

/** Values by parameter; those of the layers that are specific to classes are not among them. */
const pretrainedValues = async (model: Model, file: string): Promise<Map<string, Float32Array>> =>
  mapWeights(model, await readSafetensors(file), { head: 'skip' })

/** What a kill left of a file that was being written: as large as the state itself. */
async function removeHalfWritten(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.endsWith('.tmp')) await rm(join(folder, name))
}

/** Seeded random values, with those of a file on top if there is one. */
async function startingValues(
  model: Model,
  recipe: Recipe,
  weights: string | null,
): Promise<Map<string, Float32Array>> {
  const values = initialize(model, recipe.seed)
  return weights === null ? values : new Map([...values, ...(await pretrainedValues(model, weights))])
}

async function bestWeights(model: Model, folder: string, phase: PhaseName): Promise<Map<string, Float32Array>> {
  return mapWeights(model, await readSafetensors(checkpointPath(folder, checkpointFiles.bestOf(phase))), {
    head: 'load',
  })
}

function weightsOf(model: Model, { arrays }: SavedState): Map<string, Float32Array> {
  return new Map(model.parameters.map(({ name }) => [name, arrays.get(`weight/${name}`) ?? new Float32Array()]))
}

async function loadState(folder: string): Promise<SavedState | undefined> {
  const path = checkpointPath(folder, checkpointFiles.state)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  // A run killed before its first state begins anew.
  if (!exists) return undefined
  return readState(path)
}

/** Writes what the run is made of, before anything is trained; `data.json` last: with it the run can be resumed. */
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
