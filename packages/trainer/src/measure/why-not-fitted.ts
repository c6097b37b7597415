import { fewestToFit, fewestToSplit, type Choosing } from './split-validation.ts'

export interface FittingFacts {
  /** Validation photos. */
  readonly valid: number
  readonly choosing: Choosing
  /** Training photos of the model, which `--folds` would learn from and judge by turns. */
  readonly train: number
}

/** Why no calibration was fitted, and what would do: `87 validation photos are too few; 200, or --folds 5, would do`. */
export function whyNotFitted({ valid, choosing, train }: FittingFacts): string {
  if (choosing === 'none')
    return `${valid} photos are too few; ${fewestToSplit} that the model has not learnt from would do`
  const folds = train < fewestToFit ? `${fewestToFit} training photos and \`--folds 5\`` : '`--folds 5`'
  return valid < fewestToSplit
    ? `${valid} validation photos are too few; ${fewestToSplit}, or ${folds}, would do`
    : `all ${valid} validation photos chose the checkpoint; \`data.selection=half\`, or ${folds}, would do`
}
