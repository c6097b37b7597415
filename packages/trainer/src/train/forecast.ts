import { duration } from '../console/format.ts'
import type { Progress } from '../console/progress.ts'
import type { MetricsLog } from '../run/metrics-log.ts'

/** How long was planned from a moment on to the end of training. */
export interface Forecast {
  readonly seconds: number
  /** The moment, in milliseconds of `performance.now`. */
  readonly begun: number
}

/** Says and writes down how long it took, beside how long was planned. */
export async function compareForecast(
  { log, progress }: { readonly log: Pick<MetricsLog, 'write'>; readonly progress: Pick<Progress, 'message'> },
  { seconds: plannedSeconds, begun }: Forecast,
  now = performance.now(),
): Promise<void> {
  const seconds = (now - begun) / 1000
  await log.write({ event: 'time', seconds, plannedSeconds })
  progress.message(`trained: took ${duration(seconds)}, planned ${duration(plannedSeconds)}`)
}
