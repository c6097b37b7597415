import { groupBy } from '@flowers/shared/group-by'
import { Random } from '@flowers/shared/random'
import { clopperPearson } from './binomial.ts'

/** A measured share with its 95 % interval and the number of photos it stands on. */
export interface MeasuredShare {
  readonly value: number
  readonly low: number
  readonly high: number
  readonly count: number
}

/** Confidence level of every interval that is reported. */
export const level = 0.95

export interface BootstrapOptions {
  readonly seed: number
  readonly resamples?: number
  /** Class of each photo: every resample has as many photos of each class as the original. For means over classes. */
  readonly strata?: ArrayLike<number>
}

/**
 * Percentile bootstrap (Efron 1979): the statistic over `count` photos drawn with replacement, again and again; the
 * interval holds the middle 95 % of its values. `statistic` gets the indices of the photos drawn.
 */
export function bootstrap(
  count: number,
  statistic: (photos: ArrayLike<number>) => number,
  { seed, resamples = 1000, strata }: BootstrapOptions,
): MeasuredShare {
  const random = new Random(seed, 'bootstrap')
  const drawn = new Int32Array(count)
  const pools = poolsOf(count, strata)
  const values = Float64Array.from({ length: resamples }, () => {
    for (let index = 0; index < count; index++) drawn[index] = random.pick(pools[index] as number[])
    return statistic(drawn)
  }).sort()
  const value = statistic(Int32Array.from({ length: count }, (_, index) => index))
  return { value, low: quantile(values, (1 - level) / 2), high: quantile(values, (1 + level) / 2), count }
}

/** For each photo the photos that may stand in its place. */
function poolsOf(count: number, strata: ArrayLike<number> | undefined): number[][] {
  const pools = groupBy(Array(count).keys(), (index) => strata?.[index])
  return Array.from({ length: count }, (_, index) => pools.get(strata?.[index]) as number[])
}

/**
 * The share of `true` among photos. Where all photos agree resampling sees no spread at all, so the interval is the
 * exact one of Clopper and Pearson.
 */
export function measureShare(hits: readonly boolean[], options: BootstrapOptions): MeasuredShare {
  const sum = (photos: ArrayLike<number>): number => {
    let total = 0
    for (let index = 0; index < photos.length; index++) total += Number(hits[photos[index] as number])
    return total
  }
  const total = hits.filter(Boolean).length
  if (total === 0 || total === hits.length) {
    return { value: total / hits.length, ...clopperPearson(total, hits.length, level), count: hits.length }
  }
  return bootstrap(hits.length, (photos) => sum(photos) / photos.length, options)
}

/** Value below which the share `q` of sorted values lies, interpolated linearly. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1)
  const below = Math.floor(position)
  const first = sorted[below] as number
  const second = sorted[Math.min(below + 1, sorted.length - 1)] as number
  return first + (position - below) * (second - first)
}
