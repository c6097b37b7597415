import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import { exists, unlessAbsent, writeFileAtomic } from '@flowers/shared/files'
import { openData } from '../../dataset/open-data.ts'
import { requireWritable } from '../../console/output.ts'
import { requireModel } from '../../recipe/network.ts'
import type { Recipe } from '../../recipe/schema.ts'
import { duration, plural, withInterval } from '../../console/format.ts'
import type { Progress } from '../../console/progress.ts'
import { checkpointFiles, checkpointPath, damaged, runFiles } from '../../run/files.ts'
import { ownFolder } from '../../run/owner.ts'
import { trainRun } from '../../train/run.ts'
import { claimRun } from '../claim-run.ts'
import type { Ladder, LadderPlan, LadderRun } from './ladder.ts'
import { ladderPage } from './page.ts'
import { scoreRun } from './score-run.ts'
import { stepRecipe } from './step-recipe.ts'
import { chosenSteps } from './steps.ts'
import { TrainerError } from '../../errors.ts'

export interface LadderOptions {
  /** DATA of the command line. */
  readonly data: string
  /** Where runs, `ladder.json` and `ladder.md` go. */
  readonly folder: string
  readonly plan: LadderPlan
  readonly progress: Progress
  /** Abort to save and stop. */
  readonly signal: AbortSignal
  /** Called when a run has begun: from then on there is something to save. */
  readonly onTraining?: () => void
}

/**
 * Runs the steps of a plan with every seed, each in a run folder of its own, and scores each on the validation photos
 * with the views of its step. A ladder that was stopped or killed goes on where it was. Writes `ladder.json` and
 * `ladder.md` after every run. Throws USAGE for a folder that holds a ladder of another plan, and what is wrong with a
 * step's recipe.
 */
export async function runLadder(options: LadderOptions): Promise<Ladder> {
  const { data, folder, plan, progress, signal } = options
  // What is wrong with a recipe is said before any photo is read: how many there are changes rates alone.
  for (const { recipe } of chosenSteps(plan)) await requireModel(stepRecipe(recipe, plan, plan.batch))
  await requireWritable(folder)
  await requireSamePlan(folder, { data, ...plan })
  const { train, valid, labels } = await openData(data, { seed: plan.seeds[0] ?? 1, signal })
  const recipes = chosenSteps(plan).map(({ recipe }) => stepRecipe(recipe, plan, train.length))
  // Only now, so that a plan that cannot be run leaves the folder to another.
  const release = await claim(folder, { data, ...plan }, (line) => progress.message(line))
  try {
    return await runSteps(options, recipes, { classes: labels.length, train: train.length, valid: valid.length })
  } finally {
    await release()
  }
}

async function runSteps(
  { data, folder, plan, progress, signal, onTraining = () => {} }: LadderOptions,
  recipes: readonly Recipe[],
  counts: Ladder['data'],
): Promise<Ladder> {
  const runs: LadderRun[] = []
  const ladder: Ladder = {
    plan,
    data: counts,
    recipes: Object.fromEntries(recipes.map((recipe) => [recipe.name, recipe])),
    runs,
  }
  // Seed by seed: a ladder that is stopped early still has all steps.
  for (const seed of plan.seeds) {
    for (const recipe of recipes) {
      const run = `${recipe.name}-seed${seed}`
      const done = await readScore(join(folder, run))
      if (done === undefined)
        progress.message(`--- ${run} (${runs.length + 1} of ${plan.seeds.length * recipes.length})`)
      const { score, diverged } =
        done ?? (await trainAndScore({ ...recipe, seed }, join(folder, run), { data, progress, signal, onTraining }))
      runs.push({ step: recipe.name, seed, run, diverged, score })
      if (done === undefined) {
        const { accuracy, seconds } = score
        progress.message(
          `${run}: ${withInterval(accuracy)} of ${plural(accuracy.count, 'photo')} right with ${score.views} views, ${duration(seconds)}`,
        )
      }
      await writeFileAtomic(join(folder, 'ladder.json'), `${JSON.stringify(ladder, null, 1)}\n`)
      await writeFileAtomic(join(folder, 'ladder.md'), ladderPage(ladder))
    }
  }
  return ladder
}

type ClaimedPlan = LadderPlan & { readonly data: string }

const planFile = 'plan.json'

/** Makes the folder this process's own and writes down what its ladder is run with; returns what gives it up. */
async function claim(folder: string, plan: ClaimedPlan, say: (line: string) => void): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true })
  const release = await ownFolder(folder, { say })
  try {
    await requireSamePlan(folder, plan)
    await writeFileAtomic(join(folder, planFile), `${JSON.stringify(plan, null, 2)}\n`)
    return release
  } catch (error) {
    await release()
    throw error
  }
}

/** Throws USAGE where the folder's ladder is run with something else. */
async function requireSamePlan(folder: string, plan: ClaimedPlan): Promise<void> {
  const before = await readJson<Record<string, unknown>>(join(folder, planFile))
  if (before === undefined) return
  const other = Object.entries(plan).find(([key, value]) => JSON.stringify(before[key]) !== JSON.stringify(value))
  if (other === undefined) return
  const [key, value] = other
  throw new TrainerError(
    'USAGE',
    `${folder} holds a ladder with ${key} ${JSON.stringify(before[key])}, not ${JSON.stringify(value)}: choose another --out, or go on with the same options`,
  )
}

type Scored = Pick<LadderRun, 'diverged' | 'score'>
const scoreFile = 'score.json'

const readScore = (run: string): Promise<Scored | undefined> => readJson<Scored>(join(run, scoreFile))

async function trainAndScore(
  recipe: Recipe,
  folder: string,
  { data, progress, signal, onTraining }: Pick<Required<LadderOptions>, 'data' | 'progress' | 'signal' | 'onTraining'>,
): Promise<Scored> {
  const resume = await exists(join(folder, runFiles.data))
  const { release } = await claimRun({ folder, isNamed: true, resume }, { say: (line) => progress.message(line) })
  let diverged = false
  try {
    await trainRun({ recipe, data, folder, resume, progress, signal, onTraining })
  } catch (error) {
    // A result like any other, if there are weights to score: it would diverge again.
    const isDiverged = error instanceof FlowersError && error.code === 'TRAIN_DIVERGED'
    if (!isDiverged || !(await exists(checkpointPath(folder, checkpointFiles.best)))) throw error
    progress.message(error.message)
    diverged = true
  } finally {
    await release()
  }
  const scored = { diverged, score: await scoreRun(folder, data, signal) }
  await writeFileAtomic(join(folder, scoreFile), `${JSON.stringify(scored)}\n`)
  return scored
}

/** The content of a file that this program wrote, or undefined where there is none. Throws TRAIN_RUN_DAMAGED. */
async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await unlessAbsent(readFile(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw damaged(path, 'breaks off or is no JSON; removed, it is made anew', cause)
  }
}
