import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { requireOutside, requireWritable } from '../console/output.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { requireModelName } from '../console/models-folder.ts'
import { applySettings, isPlanned, resolveRecipe, takeMinutes } from '../recipe/resolve-recipe.ts'
import { storedRecipeSchema, type Recipe, type RecipeInput } from '../recipe/schema.ts'
import { startingFrom } from '../recipe/starting-from.ts'
import { isLeftOfUnbornRun, readJson, runFiles } from '../run/files.ts'
import { readFoldPlan } from '../run/fold-plan.ts'
import { findOwnModel } from './own-model.ts'
import type { QuickOptions } from './quick.ts'
import { TrainerError } from '../errors.ts'

/** What a person asks `train` for: the options of the command line by name. */
export interface RunRequest {
  readonly recipe?: string
  readonly data?: string
  /** Of the model that the run becomes. */
  readonly name?: string
  readonly minutes?: string
  /** Photos of anything that is none of the classes, for the model that the run becomes. */
  readonly others?: string
  /** How often the recipe is repeated on photos without a part of them, which its network is asked about. */
  readonly folds?: string
  /** A model of one's own to start from, by name or by its folder. */
  readonly from?: string
  readonly out?: string
  readonly set?: readonly string[]
  readonly weights?: string
  readonly resume?: string
  readonly resumeIfPresent?: boolean
}

/** What is heard of a plan that is made for photos and minutes. */
type PlanHooks = Pick<QuickOptions, 'onForecast' | 'estimate'>

/** The run that a request comes to. */
export interface RunPlan {
  /** Undefined for the demo, which draws its own. */
  readonly data: string | undefined
  readonly folder: string
  /** Whether the person named the folder; any other that is free will do else. */
  readonly isNamed: boolean
  /** Whether the run goes on with what its folder holds. */
  readonly resume: boolean
  /** How often the recipe is repeated before; 0: not at all. */
  readonly folds: number
  /** The recipe with everything that depends on the photos and the machine. */
  readonly resolve: (photos: string, signal: AbortSignal, hooks?: PlanHooks) => Promise<Recipe>
}

type Log = (line: string) => void

/**
 * Decides which run a request starts or goes on with, and finds what is wrong with it before any photo is read. Throws
 * USAGE, TRAIN_RUN_EXISTS, TRAIN_RUN_MISSING, TRAIN_RUN_DAMAGED, and what resolving a recipe and finding its model throw.
 */
export async function planRun(request: RunRequest, log: Log): Promise<RunPlan> {
  if (request.name !== undefined) await requireModelName(request.name)
  if (request.resumeIfPresent) return planStartOrResume(request, log)
  return request.resume === undefined ? planStart(request, log) : planResume(request.resume, request)
}

/** The recipe that is asked for, before it is fitted to photos and machine; `based` puts what a model of one's own has over one. */
async function planRecipe({ recipe, data, set = [], minutes: time, weights, from, folds: repeated }: RunRequest) {
  const name = recipe ?? (data === undefined ? 'demo' : 'quick')
  if (data === undefined && name !== 'demo') {
    throw new TrainerError('USAGE', `the recipe "${name}" needs photos: add --data DATA (only demo draws its own)`)
  }
  const folds = foldsOf(repeated)
  if (folds > 0 && data === undefined)
    throw new TrainerError('USAGE', '--folds needs photos of your own: add --data DATA')
  if (time !== undefined && !isPlanned(name))
    throw new TrainerError(
      'USAGE',
      `--minutes belongs to the recipe quick, not to ${name}: add --data DATA, and no other --recipe`,
    )
  if (time !== undefined && !(Number(time) > 0 && Number.isFinite(Number(time))))
    throw new TrainerError('USAGE', `--minutes takes a number of minutes above 0, such as --minutes 20, not "${time}"`)
  if (from !== undefined && weights !== undefined)
    throw new TrainerError('USAGE', '--from and --weights both say what to start from: give one of them')
  if (folds > 0 && from !== undefined)
    throw new TrainerError(
      'USAGE',
      '--folds and --from do not go together: the model has learnt from photos that the folds would ask about as unseen',
    )
  const { minutes, settings } = takeMinutes(name, time === undefined ? set : [...set, `minutes=${time}`])
  const own = from === undefined ? undefined : await findOwnModel(from)
  const based = <R extends RecipeInput>(base: R): R => (own === undefined ? base : { ...base, ...own })
  const planned = startingFrom(await resolveRecipe(name, settings, based), weights)
  if (folds > 0 && planned.teacher !== null)
    throw new TrainerError(
      'USAGE',
      '--folds and a teacher do not go together: the teacher may have learnt from photos that the folds would ask about as unseen',
    )
  return { minutes, folds, settings, based, planned }
}

const folding = { fewest: 2, most: 10 }

function foldsOf(text: string | undefined): number {
  if (text === undefined) return 0
  const folds = Number(text)
  if (Number.isInteger(folds) && folds >= folding.fewest && folds <= folding.most) return folds
  throw new TrainerError(
    'USAGE',
    `--folds takes a whole number from ${folding.fewest} to ${folding.most}, such as --folds 5, not "${text}"`,
  )
}

async function planStart(request: RunRequest, log: Log): Promise<RunPlan> {
  const { data, out, weights } = request
  const { minutes, folds, settings, based, planned } = await planRecipe(request)
  // Else `quick` would find out after it has looked at the photos, `demo` after it has drawn them.
  const { requireModel } = await import('../recipe/network.ts')
  await requireModel(planned)
  const time = new Date().toISOString().replace(/[-:]/g, '').slice(0, 15)
  const folder = fromUser(out ?? join('runs', `${planned.name}-${time}Z`))
  await requireWritable(folder)
  if (out !== undefined && data !== undefined) await requireOutside(out, data)
  // A name that nobody typed gives way.
  const present = out === undefined ? [] : await readdir(folder).catch(() => [])
  if (!present.every(isLeftOfUnbornRun)) throw new TrainerError('TRAIN_RUN_EXISTS', `${toUser(folder)} is not empty`)
  return {
    data: data === undefined ? undefined : fromUser(data),
    folder,
    isNamed: out !== undefined,
    resume: false,
    folds,
    resolve: async (photos, signal, hooks) => {
      if (minutes === null) return planned
      const { resolveQuick } = await import('./quick.ts')
      return resolveQuick({
        data: photos,
        minutes,
        folds,
        withSettings: (fitted) => startingFrom(applySettings(based(fitted), settings), weights),
        log,
        signal,
        ...hooks,
      })
    },
  }
}

/** The recipe as a run stores it, where it left the precision to the machine. */
const asStored = (planned: Recipe, { precision }: Recipe): Recipe =>
  planned.precision === 'auto' ? { ...planned, precision } : planned

/** What of a recipe is run: settings of a phase without epochs change nothing. */
const whatIsRun = ({ phases, ...rest }: Recipe): unknown => ({
  ...rest,
  phases: Object.entries(phases).filter(([, { epochs }]) => epochs > 0),
})

/** The same arguments start a run and go on with it; those of another run are refused. */
async function planStartOrResume(request: RunRequest, log: Log): Promise<RunPlan> {
  const { out, data, resume } = request
  if (out === undefined || resume !== undefined)
    throw new TrainerError('USAGE', '--resume-if-present needs --out RUN, and no --resume')
  const present = await readdir(fromUser(out)).catch((): string[] => [])
  if (!present.includes(runFiles.data)) return planStart(request, log)
  const plan = await planResume(out, data === undefined ? {} : { data })
  const { minutes, folds, planned } = await planRecipe(request)
  const stored = await storedRecipe(plan.folder)
  // What was fitted to some minutes was fitted to the machine where the run began.
  const same =
    minutes === null
      ? isDeepStrictEqual(whatIsRun(stored), whatIsRun(asStored(planned, stored)))
      : stored.name === planned.name
  if (!same || folds !== plan.folds)
    throw new TrainerError('TRAIN_RUN_EXISTS', `${toUser(plan.folder)} holds a run with other settings`)
  return plan
}

async function planResume(run: string, request: RunRequest): Promise<RunPlan> {
  const { data } = request
  const others = (['recipe', 'out', 'weights', 'from', 'minutes', 'folds', 'set'] as const).filter(
    (option) => request[option] !== undefined,
  )
  if (others.length > 0) {
    const named = others.map((option) => `--${option}`).join(', ')
    throw new TrainerError('USAGE', `--resume continues a run as it was started: leave out ${named}`)
  }
  const folder = fromUser(run)
  const stored = await storedRecipe(folder)
  const { readRunData } = await import('../run/data-file.ts')
  const { source } = await readRunData(folder)
  for (const place of [folder, join(folder, runFiles.checkpoints)]) await requireWritable(place)
  return {
    resolve: async () => stored,
    data: data === undefined ? source : fromUser(data),
    folder,
    isNamed: true,
    resume: true,
    folds: (await readFoldPlan(folder))?.folds ?? 0,
  }
}

const storedRecipe = (folder: string): Promise<Recipe> => readJson(join(folder, runFiles.recipe), storedRecipeSchema)
