import type { Html } from '@flowers/shared/html'
import * as Plot from '@observablehq/plot'
import { percent } from '../../console/format.ts'
import { chart, colors } from './chart.ts'

interface Cell {
  readonly truth: string
  readonly predicted: string
  readonly photos: number
  /** Of the photos of the class. */
  readonly share: number
  readonly right: boolean
}

/** Pixels a class, so that labels stay readable; many classes make a wide picture that the page scrolls. */
const cellSide = (classes: number): number => Math.min(30, Math.max(9.5, 620 / classes))

/** The confusion matrix `[truth][predicted]` in shares of a row; empty cells are left out. */
export function confusionChart(confusion: readonly (readonly number[])[], labels: readonly string[]): Html {
  const side = cellSide(labels.length)
  const cells = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, photos) => sum + photos, 0)
    return row.flatMap((photos, predicted): Cell[] =>
      photos === 0
        ? []
        : [
            {
              truth: labels[truth]!,
              predicted: labels[predicted]!,
              photos,
              share: photos / total,
              right: truth === predicted,
            },
          ],
    )
  })
  const fontSize = Math.min(12, side * 0.92)
  // Average width of a letter, for the longest label.
  const margin = Math.ceil(Math.max(...labels.map(({ length }) => length)) * fontSize * 0.56) + 12
  const wrong = cells.filter(({ right }) => !right).reduce((sum, { photos }) => sum + photos, 0)
  const band = { domain: labels, label: null, tickSize: 0, padding: 0.06 } as const
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
      Plot.ruleY(labels, { stroke: 'currentColor', strokeOpacity: 0.07 }),
      Plot.ruleX(labels, { stroke: 'currentColor', strokeOpacity: 0.07 }),
      Plot.cell(cells, {
        x: 'predicted',
        y: 'truth',
        fill: ({ right }: Cell) => (right ? colors.valid : colors.wrong),
        // A single photo of many must still be seen.
        fillOpacity: ({ share }: Cell) => 0.3 + 0.7 * share,
        title: ({ truth, predicted, photos, share }: Cell) =>
          truth === predicted
            ? `${truth}: ${photos} right, ${percent(share)} of the class`
            : `${truth} called ${predicted}: ${photos}, ${percent(share)} of the class`,
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
