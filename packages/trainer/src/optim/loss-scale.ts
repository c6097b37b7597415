/** What the loss is multiplied with so that small gradients survive in float16, and how many updates in a row were finite. */
export interface LossScale {
  readonly value: number
  readonly good: number
}

/** Those of PyTorch's GradScaler, and a floor as in Keras' LossScaleOptimizer: at 1 nothing is scaled any more. */
const rule = { growth: 2, backoff: 0.5, interval: 2000, floor: 1 } as const

export const initialLossScale: LossScale = { value: 65_536, good: 0 }

/**
 * The scale after an optimizer update was due: doubled after 2,000 finite ones in a row, halved where the gradient
 * overflowed (Micikevicius et al. 2018, arXiv 1710.03740). Null: it overflowed with nothing left to halve.
 */
export function nextLossScale({ value, good }: LossScale, finite: boolean): LossScale | null {
  if (!finite) return value > rule.floor ? { value: Math.max(rule.floor, value * rule.backoff), good: 0 } : null
  return good + 1 === rule.interval ? { value: value * rule.growth, good: 0 } : { value, good: good + 1 }
}
