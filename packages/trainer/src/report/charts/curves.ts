import type { Html } from '@flowers/shared/html'
import * as Plot from '@observablehq/plot'
import { percent } from '../../console/format.ts'
import type { HistoryEpoch, HistoryPhase } from '../../run/history.ts'
import { chart, colors, percentTicks, type ChartOptions } from './chart.ts'

interface Point {
  /** Epochs since the start of the run. */
  readonly x: number
  readonly y: number
  readonly phase: string
  readonly title: string
}

interface Placed {
  readonly phase: HistoryPhase
  /** Epochs of the phases before. */
  readonly start: number
}

export interface Curves {
  readonly loss: Html
  readonly accuracy: Html
  readonly learningRate: Html
}

/** The curves of a run over the epochs of all its phases; null before the first epoch has ended. */
export function curves(history: readonly HistoryPhase[]): Curves | null {
  let start = 0
  const placed = history.map((phase) => {
    const here = { phase, start }
    start += phase.epochs.length
    return here
  })
  if (start === 0) return null
  return { loss: lossChart(placed), accuracy: accuracyChart(placed), learningRate: rateChart(placed) }
}

/** The values of an epoch stand at its end; those a phase starts from, if any, at its start. */
function points(
  placed: readonly Placed[],
  name: string,
  write: (value: number) => string,
  at: (epoch: HistoryEpoch) => number | null,
  before?: (phase: HistoryPhase) => number | null,
): Point[] {
  return placed.flatMap(({ phase, start }) =>
    [
      { x: start, y: before?.(phase) ?? null, when: 'before the first epoch' },
      ...phase.epochs.map((epoch) => ({
        x: start + epoch.epoch + 1,
        y: at(epoch),
        when: `after epoch ${epoch.epoch + 1}`,
      })),
    ].flatMap(({ x, y, when }) =>
      y === null ? [] : [{ x, y, phase: phase.phase, title: `${phase.phase}: ${name} ${when}: ${write(y)}` }],
    ),
  )
}

const size = { width: 380, height: 260, marginLeft: 48, marginRight: 12, marginTop: 34, marginBottom: 38 }

/** Where a phase begins, and its name. */
const phaseMarks = (placed: readonly Placed[]): Plot.Markish[] => [
  Plot.ruleX(
    placed.filter(({ start }) => start > 0),
    { x: 'start', stroke: 'currentColor', strokeOpacity: 0.35, strokeDasharray: '2,3' },
  ),
  ...placed.map(({ phase, start }, index) =>
    Plot.text([`${phase.phase}\n${phase.size} px`], {
      ...phaseTitle(start, phase.epochs.length, placed.length === 1 ? 1 : index / (placed.length - 1)),
      frameAnchor: 'top',
      lineAnchor: 'bottom',
      dy: -5,
      fontSize: 11,
      fillOpacity: 0.75,
    }),
  ),
]

/** A short phase at either end would push its name out of the picture: those are written inwards. */
function phaseTitle(start: number, length: number, place: number) {
  if (place === 0) return { x: [start], textAnchor: 'start' } as const
  if (place === 1) return { x: [start + length], textAnchor: 'end' } as const
  return { x: [start + length / 2] }
}

const line = (data: readonly Point[], color: string, dashed = false): Plot.Markish =>
  Plot.line(data, {
    x: 'x',
    y: 'y',
    z: 'phase',
    stroke: color,
    strokeWidth: 2,
    ...(dashed && { strokeDasharray: '5,3' }),
  })

/** What a pointer can ask; larger where a phase of one epoch would otherwise be a speck. */
const dots = (data: readonly Point[], color: string, r = data.length > 60 ? 1.5 : 2.5): Plot.Markish =>
  Plot.dot(data, { x: 'x', y: 'y', r, fill: color, title: 'title' })

const epochs = {
  label: 'epoch',
  ticks: 6,
  tickFormat: (epoch: number): string => (Number.isInteger(epoch) ? String(epoch) : ''),
} as const

/** Training dashed, validation with where it starts, what else there is as dots. */
function pairChart(placed: readonly Placed[], train: Point[], valid: Point[], rest: ChartOptions): Html {
  return chart({
    ...size,
    x: epochs,
    ...rest,
    marks: [
      ...phaseMarks(placed),
      line(train, colors.train, true),
      line(valid, colors.valid),
      dots(train, colors.train),
      dots(valid, colors.valid),
      ...(rest.marks ?? []),
    ],
  })
}

function lossChart(placed: readonly Placed[]): Html {
  const write = (value: number): string => value.toFixed(3)
  const of = ({ validLoss }: HistoryEpoch | HistoryPhase): number | null => validLoss
  const train = points(placed, 'training loss', write, ({ loss }) => loss)
  const valid = points(placed, 'validation loss', write, of, of)
  return pairChart(placed, train, valid, {
    label: `Loss by epoch. Training ends at ${write(train.at(-1)!.y)}, validation at ${write(valid.at(-1)?.y ?? NaN)}.`,
    y: { label: null, grid: true, zero: true, nice: true, ticks: 5 },
  })
}

function accuracyChart(placed: readonly Placed[]): Html {
  const of = ({ validAccuracy }: HistoryEpoch | HistoryPhase): number => validAccuracy
  const train = points(placed, 'training accuracy', percent, ({ trainAccuracy }) => trainAccuracy)
  const valid = points(placed, 'validation accuracy', percent, of, of)
  const tta = points(placed, 'accuracy with several views', percent, ({ ttaAccuracy }) => ttaAccuracy)
  return pairChart(placed, train, valid, {
    label: `Accuracy by epoch. Validation ends at ${percent(valid.at(-1)!.y)}, training at ${percent(train.at(-1)!.y)}.`,
    y: { label: null, domain: [0, 1], grid: true, ticks: 5, tickFormat: percentTicks },
    marks: [dots(tta, colors.extra, 4)],
  })
}

function rateChart(placed: readonly Placed[]): Html {
  const write = (rate: number): string => rate.toExponential(1)
  // A logarithmic axis has no place for 0.
  const rates = (name: string, at: (epoch: HistoryEpoch) => number | null): Point[] =>
    points(placed, `learning rate of the ${name}`, write, at).filter(({ y }) => y > 0)
  const head = rates('head', ({ learningRate }) => learningRate)
  const backbone = rates('backbone', ({ backboneLearningRate }) => backboneLearningRate)
  const all = [...head, ...backbone]
  const names = backbone.length === 0 ? 'the head' : 'head and backbone'
  return chart({
    ...size,
    marginLeft: 56,
    label: `Learning rate of ${names} by epoch, on a logarithmic axis${all.length === 0 ? ': always 0' : ''}.`,
    x: epochs,
    y: {
      label: null,
      type: 'log',
      grid: true,
      nice: true,
      ticks: powersOfTen(all.map(({ y }) => y)),
      tickFormat: '~e',
    },
    marks: [
      ...phaseMarks(placed),
      line(head, 'currentColor'),
      // Above the head's, which it may equal.
      line(backbone, colors.extra, true),
      dots(head, 'currentColor'),
      dots(backbone, colors.extra),
    ],
  })
}

function powersOfTen(values: readonly number[]): number[] {
  const exponents = values.map((value) => Math.log10(value))
  const first = Math.floor(Math.min(...exponents))
  const last = Math.ceil(Math.max(...exponents))
  return Array.from({ length: values.length === 0 ? 0 : last - first + 1 }, (_, index) => 10 ** (first + index))
}
