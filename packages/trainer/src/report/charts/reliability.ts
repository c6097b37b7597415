import type { Html } from '@flowers/shared/html'
import * as Plot from '@observablehq/plot'
import type { ReliabilityBin } from '../../measure/calibration-error.ts'
import { percent } from '../../console/format.ts'
import { chart, colors, percentTicks } from './chart.ts'

/** The reliability diagram: accuracy over confidence, the area of a dot in proportion to its photos. */
export function reliabilityChart(bins: readonly ReliabilityBin[]): Html {
  const filled = bins.filter(({ photos }) => photos > 0)
  const total = filled.reduce((sum, { photos }) => sum + photos, 0)
  const sure = filled.filter(({ accuracy, confidence }) => accuracy < confidence)
  const axis = { domain: [0, 1], ticks: 5, tickFormat: percentTicks, grid: true }
  return chart({
    width: 400,
    height: 400,
    marginLeft: 48,
    marginBottom: 38,
    marginTop: 22,
    marginRight: 20,
    label: `Reliability diagram: ${sure.length} of ${filled.length} filled bins are surer than they are right.`,
    x: { ...axis, label: 'confidence' },
    y: { ...axis, label: 'accuracy' },
    r: { type: 'sqrt', domain: [0, total], range: [0, 18] },
    marks: [
      Plot.link([0], {
        x1: 0,
        y1: 0,
        x2: 1,
        y2: 1,
        stroke: 'currentColor',
        strokeOpacity: 0.4,
        strokeDasharray: '4,3',
      }),
      Plot.ruleX(filled, { x: 'confidence', y1: 'confidence', y2: 'accuracy', stroke: colors.wrong, strokeWidth: 2 }),
      Plot.dot(filled, {
        x: 'confidence',
        y: 'accuracy',
        r: ({ photos }: ReliabilityBin) => Math.max(photos, total / 60),
        fill: colors.valid,
        fillOpacity: 0.8,
        title: ({ photos, accuracy, confidence }: ReliabilityBin) =>
          `${photos} photos: ${percent(confidence)} sure, ${percent(accuracy)} right`,
      }),
    ],
  })
}
