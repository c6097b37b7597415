import { FlowersError } from '@flowers/shared/errors'
import { auditDataset, withoutOffenders } from '../dataset/audit.ts'
import { openData } from '../dataset/open-data.ts'
import { quick } from '../recipe/recipes/quick.ts'
import { parseRecipe } from '../recipe/resolve-recipe.ts'
import type { Recipe, RecipeInput } from '../recipe/schema.ts'
import { duration } from '../console/format.ts'
import { availableMemory } from '../train/memory.ts'
import { measureSpeed } from './measure-speed.ts'
import { fitToPhotos, longestPlan, planQuick } from './plan-quick.ts'
import { surveyPhotos } from './survey.ts'

export interface QuickOptions {
  /** DATA of the command line. */
  readonly data: string
  /** For everything up to the end of training: looking at the photos, measuring, training. */
  readonly minutes: number
  /** Puts the person's settings over a recipe: they have the last word. Throws RECIPE_INVALID. */
  readonly withSettings: (recipe: RecipeInput) => RecipeInput
  readonly log: (line: string) => void
  /** Abort to stop between two photos or steps; its reason is what the promise rejects with. */
  readonly signal?: AbortSignal
  /** Measures the machine; another one stands in for it. */
  readonly measure?: typeof measureSpeed
  /** Milliseconds of a clock that only rises. */
  readonly now?: () => number
}

/**
 * The recipe `quick` for these photos, this machine and some minutes: looks at the photos, measures a few steps, plans.
 * Settings that contradict every plan are refused before the measurement. Throws what `openDataset` and `withSettings`
 * throw.
 */
export async function resolveQuick({
  data,
  minutes,
  withSettings,
  log,
  signal,
  measure = measureSpeed,
  now = () => performance.now(),
}: QuickOptions): Promise<Recipe> {
  const begun = now()
  const start = withSettings(quick)
  const opened = await openData(data, { seed: start.seed, validShare: start.data.validShare, signal })
  // The run leaves these photos out, or refuses them, in its own words. What is found here is not looked for again.
  const audit = await auditDataset(opened, { minimumSize: start.data.minimumSize, signal })
  const { dataset } = withoutOffenders(opened, audit, log)
  const facts = await surveyPhotos(dataset, signal)
  const fitted = withSettings(fitToPhotos(quick, facts))
  withSettings(longestPlan(fitted, facts))
  log('measuring how fast this machine trains')
  const speed = await measure(parseRecipe(fitted), dataset, signal)
  const spent = (now() - begun) / 1000
  const left = Math.max(0, 60 * minutes - spent)
  const holds = (candidate: RecipeInput): boolean => holdsTogether(() => withSettings(candidate))
  const plan = planQuick(fitted, { minutes: left / 60, facts, speed, memory: availableMemory(), holds })
  const planned = parseRecipe(withSettings(plan.recipe))
  const { head, full, fixres } = planned.phases
  log(
    `plan: photos of ${facts.shortSide} px, trained at ${full.size} and ${fixres.size} px in batches of ${full.batch}; ` +
      `${head.epochs} + ${full.epochs} + ${fixres.epochs} epochs, about ${duration(plan.seconds)} at ${speed.photosPerSecond.toFixed(0)} photos/s, ` +
      `after ${duration(spent)} of looking and measuring`,
  )
  if (plan.leastSeconds > left) {
    log(
      `minutes=${minutes} leaves ${duration(left)}, less than the shortest run takes here: about ${duration(plan.leastSeconds)}`,
    )
  }
  return planned
}

function holdsTogether(resolve: () => RecipeInput): boolean {
  try {
    resolve()
    return true
  } catch (error) {
    if (error instanceof FlowersError && error.code === 'RECIPE_INVALID') return false
    throw error
  }
}
