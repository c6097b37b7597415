/** Optimizer updates of an epoch of micro-steps: the last one may gather fewer of them than the others. */
export const updatesPerEpoch = (microSteps: number, accumulate: number): number => Math.ceil(microSteps / accumulate)

/**
 * How many micro-steps the update of a micro-step (from 0, of an epoch) gathers, and whether the update follows it. What is
 * left over at the end of an epoch is an update of its own, the mean of fewer: an epoch never ends with gradients pending.
 */
export function accumulation(
  microStep: number,
  microSteps: number,
  accumulate: number,
): { readonly of: number; readonly complete: boolean } {
  const first = microStep - (microStep % accumulate)
  const of = Math.min(accumulate, microSteps - first)
  return { of, complete: microStep === first + of - 1 }
}
