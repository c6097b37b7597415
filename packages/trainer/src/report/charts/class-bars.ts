import type { Html } from '@flowers/shared/html'
import * as Plot from '@observablehq/plot'
import { percent } from '../../console/format.ts'
import { chart, colors } from './chart.ts'

export interface ClassPhotos {
  readonly label: string
  readonly train: number
  readonly valid: number
}

/** With more classes than this a label has no room under its bar. */
const mostLabelled = 40

/** The scale of classes, in order of their training photos; where each is to be labelled, as wide as that takes. */
function classAxis(labels: readonly string[], everyLabel = false) {
  const isLabelled = everyLabel || labels.length <= mostLabelled
  return {
    x: {
      domain: labels,
      label: isLabelled ? null : 'classes, in the order of the table',
      tickSize: 0,
      padding: 0.2,
      ...(isLabelled ? { tickRotate: -50 } : { ticks: [] }),
    },
    marginBottom: isLabelled ? Math.min(150, 24 + 5 * Math.max(...labels.map(({ length }) => length))) : 34,
    marginLeft: isLabelled ? 84 : 48,
    width: everyLabel ? Math.max(1040, 84 + 16 * labels.length) : 1040,
    height: isLabelled ? 380 : 300,
  }
}

/** Photos by class, most first; `alone`: with a label for every class, and with the key that the page has beside it. */
export function classCountsChart(classes: readonly ClassPhotos[], { alone = false } = {}): Html {
  const sorted = bySupport(classes)
  const largest = Math.max(...sorted.map(({ train, valid }) => train + valid))
  const parts = sorted.flatMap(({ label, train, valid }) => [
    { label, photos: train, color: colors.train, title: `${label}: ${train} training photos` },
    { label, photos: valid, color: colors.valid, title: `${label}: ${valid} validation photos` },
  ])
  return chart({
    ...classAxis(
      sorted.map(({ label }) => label),
      alone,
    ),
    label: `Photos by class, from ${sorted[0]!.train} training photos of ${sorted[0]!.label} to ${sorted.at(-1)!.train} of ${sorted.at(-1)!.label}.`,
    y: { label: null, grid: true, nice: true, ticks: 6 },
    color: { type: 'identity' },
    marks: [
      Plot.barY(parts, { x: 'label', y: 'photos', fill: 'color', title: 'title' }),
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
  const natural = classes.map(({ label, train }) => ({ label, share: train / total }))
  const domain = bySupport(classes).map(({ label }) => label)
  const dots = series.map(({ name, color, prior }, place) => {
    const shares = classes.map(({ label }, index) => ({
      label,
      share: prior[index]!,
      title: `${label} in phase ${name}: ${percent(prior[index]!)}`,
    }))
    // Side by side, as phases often agree.
    const dx = classes.length > mostLabelled ? 0 : 9 * (place - (series.length - 1) / 2)
    return Plot.dot(shares, { x: 'label', y: 'share', fill: color, r: 3.5, dx, title: 'title' })
  })
  return chart({
    ...classAxis(domain),
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
        x: 'label',
        y: 'share',
        fill: colors.faint,
        title: ({ label, share }: (typeof natural)[number]) => `${label}: ${percent(share)} of the photos`,
      }),
      ...dots,
      Plot.ruleY([0]),
    ],
  })
}
