import type { Scores } from './metrics.ts'

/**
 * Log-odds of the best class: the logarithm of p / (1 - p) of its probability under logits divided by `temperature`,
 * without a difference from 1 that rounding would take away.
 *
 * @param logits of two classes or more
 * @returns at least minus the logarithm of (classes - 1)
 */
export function bestLogOdds(logits: Scores, temperature: number): number {
  const sorted = Float64Array.from(logits, (logit) => logit / temperature).sort()
  const best = sorted.at(-1)!
  const second = sorted.at(-2)!
  let others = 0
  for (let index = 0; index < sorted.length - 1; index++) others += Math.exp(sorted[index]! - second)
  return best - second - Math.log(others)
}
