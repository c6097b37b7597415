import { groupBy } from '@flowers/shared/group-by'
import type { Html } from '@flowers/shared/html'
import * as Plot from '@observablehq/plot'
import { percent } from '../../console/format.ts'
import type { Confusion, Measures } from '../../measure/measure.ts'
import { chart, chartNames, colors } from './chart.ts'

interface Cell extends Confusion {
  /** Of the photos of the class. */
  readonly share: number
}

/** With more classes the picture would be larger than any window, and a class in it smaller than can be seen. */
export const mostDrawn = 300

/** Pixels a class, so that labels stay readable; many classes make a wide picture that the page scrolls. */
const cellSide = (classes: number): number => Math.min(30, Math.max(9.5, 620 / classes))

const isRight = ({ truth, predicted }: Confusion): boolean => truth === predicted

/** The confusion matrix in shares of a row; empty cells are left out. At most `mostDrawn` classes. */
export function confusionChart(confusion: Measures['confusion'], labels: readonly string[]): Html {
  const side = cellSide(labels.length)
  const names = chartNames(labels)
  const rows = groupBy(confusion, ({ truth }) => truth)
  const cells = [...rows.values()].flatMap((row): Cell[] => {
    const total = row.reduce((sum, { photos }) => sum + photos, 0)
    return row.map((each) => ({ ...each, share: each.photos / total }))
  })
  const fontSize = Math.min(12, side * 0.92)
  // Average width of a letter, for the longest label.
  const margin = Math.ceil(Math.max(...names.map(({ length }) => length)) * fontSize * 0.56) + 12
  const wrong = cells.filter((cell) => !isRight(cell)).reduce((sum, { photos }) => sum + photos, 0)
  const classes = [...labels.keys()]
  const tickFormat = (index: number): string => names[index]!
  const band = { type: 'band', domain: classes, label: null, tickSize: 0, tickFormat, padding: 0.06 } as const
  return chart({
    label: `Confusion matrix of ${labels.length} classes: ${wrong} answers off the diagonal. The pairs below name them.`,
    width: side * labels.length + margin + 16,
    height: side * labels.length + margin + 16,
    marginLeft: margin,
    marginTop: margin,
    marginRight: 16,
    marginBottom: 16,
    style: { fontSize: `${fontSize}px`, maxWidth: 'none' },
    x: { ...band, axis: 'top', tickRotate: -90 },
    y: band,
    marks: [
      Plot.ruleY(classes, { stroke: 'currentColor', strokeOpacity: 0.07 }),
      Plot.ruleX(classes, { stroke: 'currentColor', strokeOpacity: 0.07 }),
      Plot.cell(cells, {
        x: 'predicted',
        y: 'truth',
        fill: (cell: Cell) => (isRight(cell) ? colors.valid : colors.wrong),
        // A single photo of many must still be seen.
        fillOpacity: ({ share }: Cell) => 0.3 + 0.7 * share,
        title: ({ truth, predicted, photos, share }: Cell) =>
          truth === predicted
            ? `${names[truth]}: ${photos} right, ${percent(share)} of the class`
            : `${names[truth]} called ${names[predicted]}: ${photos}, ${percent(share)} of the class`,
      }),
      ...(side < 18
        ? []
        : [
            Plot.text(cells, {
              x: 'predicted',
              y: 'truth',
              text: ({ photos }: Cell) => String(photos),
              fill: ({ share }: Cell) => (share > 0.5 ? 'var(--on-fill)' : 'currentColor'),
              fontSize: Math.min(11, side * 0.45),
              pointerEvents: 'none',
            }),
          ]),
    ],
    color: { type: 'identity' },
    opacity: { type: 'identity' },
  })
}
