import { openDataset } from '../data/dataset.ts'
import type { Recipe } from '../recipe.ts'
import { duration } from '../report/format.ts'
import { availableMemory } from '../train/memory.ts'
import { measureSpeed } from './measure-speed.ts'
import { fitToPhotos, planQuick } from './plan-quick.ts'
import { surveyPhotos } from './survey.ts'

export interface QuickOptions {
  /** DATA of the command line. */
  readonly data: string
  readonly minutes: number
  /** Puts the person's settings over a recipe: they have the last word. */
  readonly withSettings: (recipe: Recipe) => Recipe
  readonly log: (line: string) => void
}

/** The recipe `quick` for these photos, this machine and so many minutes: looks at the photos, measures a few steps, plans. */
export async function resolveQuick(
  recipe: Recipe,
  { data, minutes, withSettings, log }: QuickOptions,
): Promise<Recipe> {
  const dataset = await openDataset(data, { seed: recipe.seed, validShare: recipe.data.validShare })
  const facts = await surveyPhotos(dataset)
  const fitted = withSettings(fitToPhotos(recipe, facts))
  log('measuring how fast this machine trains')
  const speed = await measureSpeed(fitted, dataset)
  const plan = planQuick(fitted, { minutes, facts, speed, memory: availableMemory() })
  const planned = withSettings(plan.recipe)
  const { head, full, fixres } = planned.phases
  log(
    `plan: photos of ${facts.shortSide} px, trained at ${full.size} and ${fixres.size} px in batches of ${full.batch}; ` +
      `${head.epochs} + ${full.epochs} + ${fixres.epochs} epochs, about ${duration(plan.seconds)} at ${speed.photosPerSecond.toFixed(0)} photos/s`,
  )
  if (plan.leastSeconds > 60 * minutes) {
    log(`minutes=${minutes} is less than the shortest run takes here: about ${duration(plan.leastSeconds)}`)
  }
  return planned
}
