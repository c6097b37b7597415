import { FlowersError } from '@flowers/shared/errors'
import { showWork } from '../console/bar.ts'
import { auditDataset, requireNoErrors, withoutOffenders } from '../dataset/audit.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { openData } from '../dataset/open-data.ts'
import { quick } from '../recipe/recipes/quick.ts'
import { parseRecipe } from '../recipe/resolve-recipe.ts'
import type { Recipe, RecipeInput } from '../recipe/schema.ts'
import { duration } from '../console/format.ts'
import { estimated } from './estimate.ts'
import { availableMemory } from '../train/memory.ts'
import type { Forecast } from '../train/forecast.ts'
import { runSeconds, type Speed } from './cost.ts'
import { measureSpeed } from './measure-speed.ts'
import { fitToPhotos, longestEpochs, longestPlan, planQuick } from './plan-quick.ts'
import { foldWords, planWords } from './plan-words.ts'
import { suggestOthers } from './suggest-others.ts'
import { surveyPhotos } from './survey.ts'

export interface QuickOptions {
  /** DATA of the command line. */
  readonly data: string
  /** For everything up to the end of training: looking at the photos, measuring, training. */
  readonly minutes: number
  /** How often the recipe is run before, for the answers of `--folds`; they share the minutes. 0 unless said. */
  readonly folds?: number
  /** Puts the person's settings over a recipe: they have the last word. Throws RECIPE_INVALID. */
  readonly withSettings: (recipe: RecipeInput) => RecipeInput
  readonly log: (line: string) => void
  /** Abort to stop between two photos or steps; its reason is what the promise rejects with. */
  readonly signal?: AbortSignal
  /** Hears when the training should be over. */
  readonly onForecast?: ((forecast: Forecast) => void) | undefined
  /** Tells at once how well the photos can be told apart, from so many of them at most. */
  readonly estimate?: ((dataset: Dataset, most: number) => Promise<void>) | undefined
  /** Measures the machine; another one stands in for it. */
  readonly measure?: typeof measureSpeed
  /** Milliseconds of a clock that only rises. */
  readonly now?: () => number
}

/**
 * The recipe `quick` for these photos, this machine and some minutes: looks at the photos, measures a few steps, plans.
 * What the photos or settings contradict is refused before the measurement. Throws what `openDataset` and `withSettings`
 * throw, DATA_AUDIT, and what `measureSpeed` throws.
 */
export async function resolveQuick({
  data,
  minutes,
  folds = 0,
  withSettings,
  log,
  signal,
  onForecast,
  estimate,
  measure = measureSpeed,
  now = () => performance.now(),
}: QuickOptions): Promise<Recipe> {
  const begun = now()
  const start = withSettings(quick)
  const { minimumSize, validShare, exclude, selection = 'all' } = start.data
  const opened = await openData(data, { seed: start.seed, validShare, signal })
  // What is found here is not looked for again; the run lists it.
  const audit = await auditDataset(opened, { minimumSize, onProgress: showWork('looking for flaws'), signal })
  if (exclude === 'nothing') requireNoErrors(audit)
  const { dataset } = withoutOffenders(opened, audit, log)
  const facts = surveyPhotos(dataset, { seed: start.seed, selection })
  const fitted = withSettings(fitToPhotos(quick, facts))
  withSettings(longestPlan(fitted, facts))
  const speed = await measure(parseRecipe(fitted), dataset, { log, signal })
  if (estimate && fitted.model.weights !== null)
    await estimate(dataset, photosWithin(estimateShare * 60 * minutes, speed))
  const spent = (now() - begun) / 1000
  const left = Math.max(0, 60 * minutes - spent) / (folds + 1)
  let refusal: unknown
  const settle = (candidate: RecipeInput): Recipe | undefined => {
    try {
      return parseRecipe(withSettings(candidate))
    } catch (error) {
      if (!(error instanceof FlowersError) || error.code !== 'RECIPE_INVALID') throw error
      refusal = error
      return undefined
    }
  }
  const plan = planQuick(fitted, { minutes: left / 60, facts, speed, memory: availableMemory(), settle })
  if (plan === undefined) throw refusal
  const { recipe, seconds, leastSeconds } = plan
  log(planWords(recipe, { shortSide: facts.shortSide, seconds, spent }))
  if (leastSeconds > left) {
    log(
      `the shortest training takes about ${duration(leastSeconds)} here, longer than the ${duration(left)} that ${minutes} min leave${folds === 0 ? '' : ` each of ${folds + 1} runs`}; it is run all the same`,
    )
  } else if (recipe.phases.full.epochs === longestEpochs && left > 1.2 * seconds)
    log('that is the longest training it plans: more minutes would change nothing')
  const tip = opened.form === 'csv' ? null : suggestOthers(opened.others.length)
  if (tip !== null) log(tip)
  const all = runSeconds(recipe, speed, { train: dataset.train.length, valid: facts.valid }, folds)
  if (folds > 0) log(foldWords(folds, all))
  onForecast?.({ seconds: spent + all, begun })
  return recipe
}

/** Of the minutes, what an estimate may take. */
const estimateShare = 0.05

/** Photos that an estimate can look at in so many seconds. */
const photosWithin = (seconds: number, { decodeSeconds, forwardSeconds }: Speed): number =>
  Math.min(estimated.most, Math.floor(seconds / (decodeSeconds + forwardSeconds)))
