/**
 * Decay of the moving average at an optimizer step counted from 1: `min(decay, 1 - step^-power)`, the warm-up of timm's
 * ModelEmaV3 with gamma 1: 0 at the first step, which takes the weights as they are. Without it an average with decay
 * 0.99995 never forgets its start.
 */
export function emaDecay(options: { readonly decay: number; readonly power: number }, step: number): number {
  return Math.min(options.decay, 1 - step ** -options.power)
}
