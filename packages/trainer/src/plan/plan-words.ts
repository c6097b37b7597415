import { duration, plural } from '../console/format.ts'
import type { Recipe } from '../recipe/schema.ts'

/** What a plan is, for the person whose photos they are. */
export interface PlanFacts {
  /** Median of the photos' shorter sides, pixels. */
  readonly shortSide: number
  /** Seconds from here to the end of training, and those spent before. */
  readonly seconds: number
  readonly spent: number
}

/** A plan in two sentences: how long it takes, and what is done in that time. */
export function planWords(recipe: Pick<Recipe, 'phases'>, { shortSide, seconds, spent }: PlanFacts): string {
  const { head, full, fixres } = recipe.phases
  const epochs = (count: number): string => plural(count, 'epoch')
  const parts = [
    head.epochs > 0 && `${epochs(head.epochs)} for the last layer alone (${head.size} px)`,
    full.epochs > 0 && `${epochs(full.epochs)} for the whole network (${full.size} px)`,
    fixres.epochs > 0 && `${epochs(fixres.epochs)} at the size it will answer at (${fixres.size} px)`,
  ].filter((part) => part !== false)
  const longest = [full, head, fixres].find(({ epochs }) => epochs > 0)
  return (
    `plan: about ${duration(seconds)} of training, after ${duration(spent)} of looking and measuring; report and export come after that. ` +
    `Every epoch shows the network all training photos (${shortSide} px), ${longest?.batch ?? 0} at a time: ${parts.join(', ')}`
  )
}

/** How often the recipe is run with folds, and how long all of it takes. */
export const foldWords = (folds: number, seconds: number): string =>
  `with ${folds} folds the recipe is run ${folds + 1} times, once without the photos of each fold and then with all of them: about ${duration(seconds)} in all`
