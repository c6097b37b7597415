/** Series of the chosen instances. */
export const chosen = 'job=~"$job", instance=~"$instance"'

/** Series of the chosen models of these. */
export const ofModel = `${chosen}, model=~"$model"`

/** Requests that ask the model; the objectives are held on them. */
export const answering = `${chosen}, route=~"/classify|/explain|/v2/.*infer"`

/** Rates over as many scrapes as a panel needs, whatever its width. */
export const window = '$__rate_interval'

/** Sum of the increases a second of a counter, by labels. */
export function rate(series: string, by = ''): string {
  return `sum${by && ` by (${by}) `}(rate(${series}[${window}]))`
}

/** Mean of what a histogram observed, by labels. */
export function mean(histogram: string, labels: string, by = ''): string {
  return `${rate(`${histogram}_sum{${labels}}`, by)} / ${rate(`${histogram}_count{${labels}}`, by)}`
}

/** Quantile of what a histogram observed, by labels. */
export function quantile(share: number, histogram: string, labels: string, by = ''): string {
  return `histogram_quantile(${share}, ${rate(`${histogram}_bucket{${labels}}`, by ? `le, ${by}` : 'le')})`
}
