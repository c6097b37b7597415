import type { Html } from '@flowers/shared/html'
import * as Plot from '@observablehq/plot'
import { percent } from '../../console/format.ts'
import { chart, chartNames, colors } from './chart.ts'

export interface ClassPhotos {
  readonly label: string
  readonly train: number
  readonly valid: number
}

/** With more classes than this a label has no room under its bar. */
const mostLabelled = 40

/** The scale of classes by their place in this order; where each is to be labelled, as wide as that takes. */
function classAxis(labels: readonly string[], everyLabel = false) {
  const names = chartNames(labels)
  const isLabelled = everyLabel || labels.length <= mostLabelled
  return {
    x: {
      type: 'band' as const,
      domain: [...labels.keys()],
      tickFormat: (place: number): string => names[place]!,
      label: isLabelled ? null : 'classes, in the order of the table',
      tickSize: 0,
      padding: 0.2,
      ...(isLabelled ? { tickRotate: -50 } : { ticks: [] }),
    },
    marginBottom: isLabelled ? Math.min(150, 24 + 5 * Math.max(...names.map(({ length }) => length))) : 34,
    marginLeft: isLabelled ? 84 : 48,
    width: everyLabel ? Math.max(1040, 84 + 16 * labels.length) : 1040,
    height: isLabelled ? 380 : 300,
  }
}

/** Photos by class, most first; `alone`: with a label for every class, and with the key that the page has beside it. */
export function classCountsChart(classes: readonly ClassPhotos[], { alone = false } = {}): Html {
  const sorted = bySupport(classes)
  const largest = sorted.reduce((most, { train, valid }) => Math.max(most, train + valid), 0)
  const names = chartNames(sorted.map(({ label }) => label))
  const parts = sorted.flatMap(({ train, valid }, place) => [
    { place, photos: train, color: colors.train, title: `${names[place]}: ${train} training photos` },
    { place, photos: valid, color: colors.valid, title: `${names[place]}: ${valid} validation photos` },
  ])
  return chart({
    ...classAxis(
      sorted.map(({ label }) => label),
      alone,
    ),
    label: `Photos by class, from ${sorted[0]!.train} training photos of ${names[0]} to ${sorted.at(-1)!.train} of ${names.at(-1)}.`,
    y: { label: null, grid: true, nice: true, ticks: 6 },
    color: { type: 'identity' },
    marks: [
      Plot.barY(parts, { x: 'place', y: 'photos', fill: 'color', title: 'title' }),
      Plot.ruleY(
        [20, 100].filter((limit) => limit < largest),
        { stroke: 'currentColor', strokeOpacity: 0.6, strokeDasharray: '3,3' },
      ),
      Plot.ruleY([0]),
      ...(alone ? [key('training photos', colors.train, 0), key('validation photos', colors.valid, 16)] : []),
    ],
  })
}

const key = (text: string, fill: string, dy: number) => Plot.text([text], { frameAnchor: 'top-right', fill, dy })

export const bySupport = <T extends { readonly train: number; readonly label: string }>(classes: readonly T[]): T[] =>
  classes.toSorted((a, b) => b.train - a.train || (a.label < b.label ? -1 : 1))

export interface PriorSeries {
  readonly name: string
  readonly color: string
  /** By class. */
  readonly prior: readonly number[]
}

/** Natural class shares as bars, what phases make of them as lines of dots. */
export function priorChart(classes: readonly ClassPhotos[], series: readonly PriorSeries[]): Html {
  const total = classes.reduce((sum, { train }) => sum + train, 0)
  const sorted = bySupport(classes.map((each, index) => ({ ...each, index })))
  const labels = sorted.map(({ label }) => label)
  const names = chartNames(labels)
  const natural = sorted.map(({ train }, place) => ({ place, share: train / total }))
  const dots = series.map(({ name, color, prior }, place) => {
    const shares = sorted.map(({ index }, place) => ({
      place,
      share: prior[index]!,
      title: `${names[place]} in phase ${name}: ${percent(prior[index]!)}`,
    }))
    // Side by side, as phases often agree.
    const dx = classes.length > mostLabelled ? 0 : 9 * (place - (series.length - 1) / 2)
    return Plot.dot(shares, { x: 'place', y: 'share', fill: color, r: 3.5, dx, title: 'title' })
  })
  return chart({
    ...classAxis(labels),
    label: `Class shares: natural as bars, ${series.map(({ name }) => name).join(', ')} as dots.`,
    y: {
      label: 'share of the training',
      grid: true,
      ticks: 5,
      tickFormat: (share: number) => percent(share),
      nice: true,
    },
    marks: [
      Plot.barY(natural, {
        x: 'place',
        y: 'share',
        fill: colors.faint,
        title: ({ place, share }: (typeof natural)[number]) => `${names[place]}: ${percent(share)} of the photos`,
      }),
      ...dots,
      Plot.ruleY([0]),
    ],
  })
}
