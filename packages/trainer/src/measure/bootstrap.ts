import { setImmediate } from 'node:timers/promises'
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
  /** Abort to stop a bootstrap in turns. */
  readonly signal?: AbortSignal | undefined
}

type Statistic = (photos: ArrayLike<number>) => number

/**
 * Percentile bootstrap (Efron 1979): the statistic over `count` photos drawn with replacement, again and again; the
 * interval holds the middle 95 % of its values. `statistic` gets the indices of the photos drawn.
 */
export function bootstrap(count: number, statistic: Statistic, options: BootstrapOptions): MeasuredShare {
  return summarize(count, statistic, [...resamples(count, statistic, options)])
}

/** Photos that are drawn before others get a turn: some hundredths of a second. */
const drawnInTurn = 2 ** 18

/** The same for many photos: the event loop gets its turns, so that the process still hears. Rejects with the reason of an aborted signal. */
export async function bootstrapInTurns(
  count: number,
  statistic: Statistic,
  options: BootstrapOptions,
): Promise<MeasuredShare> {
  const values: number[] = []
  let left = 0
  for (const value of resamples(count, statistic, options)) {
    values.push(value)
    left -= count
    if (left > 0) continue
    left = drawnInTurn
    await setImmediate()
    options.signal?.throwIfAborted()
  }
  return summarize(count, statistic, values)
}

function* resamples(
  count: number,
  statistic: Statistic,
  { seed, resamples = 1000, strata }: BootstrapOptions,
): Generator<number> {
  const random = new Random(seed, 'bootstrap')
  const drawn = new Int32Array(count)
  const pools = poolsOf(count, strata)
  for (let resample = 0; resample < resamples; resample++) {
    for (let index = 0; index < count; index++) drawn[index] = random.pick(pools[index]!)
    yield statistic(drawn)
  }
}

function summarize(count: number, statistic: Statistic, values: readonly number[]): MeasuredShare {
  const sorted = Float64Array.from(values).sort()
  const value = statistic(Int32Array.from({ length: count }, (_, index) => index))
  return { value, low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2), count }
}

/** For each photo the photos that may stand in its place. */
function poolsOf(count: number, strata: ArrayLike<number> | undefined): number[][] {
  const pools = groupBy(Array(count).keys(), (index) => strata?.[index])
  return Array.from({ length: count }, (_, index) => pools.get(strata?.[index]) as number[])
}

/** The share of `hits` among `count` photos, one at least, with the exact interval of Clopper and Pearson. */
export const exactShare = (hits: number, count: number): MeasuredShare => ({
  value: hits / count,
  ...clopperPearson(hits, count, level),
  count,
})

/** Value below which the share `q` of sorted values lies, interpolated linearly. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1)
  const below = Math.floor(position)
  const first = sorted[below] as number
  const second = sorted[Math.min(below + 1, sorted.length - 1)] as number
  return first + (position - below) * (second - first)
}
