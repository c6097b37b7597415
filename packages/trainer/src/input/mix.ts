import type { MixOptions } from '../recipe/schema.ts'
import type { Random } from '@flowers/shared/random'

/**
 * How a photo is mixed with its partner, the photo at the mirrored place of the batch: weight of the photo itself outside
 * and inside a box, the box y0, x0, y1, x1 in pixels, and `lam`, the weight of its own label.
 */
export interface Mix {
  readonly outside: number
  readonly inside: number
  readonly box: readonly [number, number, number, number]
  readonly lam: number
}

export const unmixed: Mix = { outside: 1, inside: 1, box: [0, 0, 0, 0], lam: 1 }

/** Gamma(shape, 1): Marsaglia and Tsang 2000, with their boost for shapes below 1. */
export function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = random.normal()
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

/** Beta(alpha, alpha), in [0, 1]. */
export function symmetricBeta(alpha: number, random: Random): number {
  const a = gamma(alpha, random)
  const b = gamma(alpha, random)
  // Both underflow for tiny alphas; the limit of the distribution is a coin.
  return a + b > 0 ? a / (a + b) : random.uniform() < 0.5 ? 0 : 1
}

/** CutMix's box for a drawn weight: sides sqrt(1 - lam) of the picture's, centre random, clipped; `lam` becomes what is left. */
export function cutmixBox(lam: number, size: number, centreY: number, centreX: number): Mix {
  const half = Math.floor(size * Math.sqrt(1 - lam)) / 2
  const clip = (value: number): number => Math.min(size, Math.max(0, Math.round(value)))
  const [y, x] = [Math.floor(centreY * size), Math.floor(centreX * size)]
  const box = [clip(y - half), clip(x - half), clip(y + half), clip(x + half)] as const
  return { outside: 1, inside: 0, box, lam: 1 - ((box[2] - box[0]) * (box[3] - box[1])) / (size * size) }
}

/** MixUp (arXiv 1710.09412), CutMix (arXiv 1905.04899) or neither for one photo at an epoch (from 0) of the phase. */
export function drawMix(
  options: MixOptions,
  { epoch, epochs }: { epoch: number; epochs: number },
  size: number,
  random: Random,
): Mix {
  const late = options.late !== null && epoch >= epochs - options.late.epochs ? options.late : { mixup: 1, cutmix: 1 }
  const alive = (alpha: number, off: number | null): number => (off !== null && epoch >= off ? 0 : alpha)
  const mixup = alive(options.mixupAlpha, options.mixupOffEpoch) * late.mixup
  const cutmix = alive(options.cutmixAlpha, options.cutmixOffEpoch) * late.cutmix
  if (mixup + cutmix === 0 || random.uniform() >= options.probability) return unmixed
  const useCutmix = cutmix > 0 && (mixup === 0 || random.uniform() < 0.5)
  const lam = symmetricBeta(useCutmix ? cutmix : mixup, random)
  return useCutmix
    ? cutmixBox(lam, size, random.uniform(), random.uniform())
    : { outside: lam, inside: lam, box: [0, 0, 0, 0], lam }
}
