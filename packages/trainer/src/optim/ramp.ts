import type { Ramp } from '../recipe/schema.ts'

/** Value of a ramp at an epoch (from 0) of a phase: `from` in the first, `to` in the last, linear between. */
export function rampValue(ramp: Ramp, epoch: number, epochs: number): number {
  if (typeof ramp === 'number') return ramp
  const progress = epochs <= 1 ? 1 : Math.min(1, epoch / (epochs - 1))
  return ramp.from + (ramp.to - ramp.from) * progress
}
