import { describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { conformalThreshold, setQuality } from './conformal.ts'

describe('threshold', () => {
  it('is the order statistic of what is ranked before the true label', () => {
    // Sums before the label: 0, 0, 0.6, 0.9. With n = 4: ceil(5 * 0.6) = 3rd smallest; ceil(5 * 0.8) = 4th.
    const rows = [
      [0.6, 0.3, 0.1],
      [0.2, 0.7, 0.1],
      [0.6, 0.3, 0.1],
      [0.6, 0.3, 0.1],
    ]
    const labels = [0, 1, 1, 2]
    expect(conformalThreshold(rows, labels, 0.4)).toBeCloseTo(0, 5)
    expect(conformalThreshold(rows, labels, 0.6)).toBeCloseTo(0.6, 5)
    expect(conformalThreshold(rows, labels, 0.8)).toBeCloseTo(0.9, 5)
    expect(conformalThreshold(rows, labels, 0.9)).toBeNull()
  })

  it('needs 19 photos for 95 %', () => {
    const rows = Array.from({ length: 19 }, () => [0.9, 0.1])
    expect(conformalThreshold(rows.slice(1), Array<number>(18).fill(0), 0.95)).toBeNull()
    expect(conformalThreshold(rows, Array<number>(19).fill(0), 0.95)).toBeGreaterThan(0)
  })

  it('gives sets that hold the true label as often as promised on photos it has not seen', () => {
    const { rows, labels } = drawn(6000)
    const threshold = conformalThreshold(rows.slice(0, 3000), labels.slice(0, 3000), 0.95) as number
    const thresholds = Array<number>(3000).fill(threshold)
    const { covered, size } = setQuality(rows.slice(3000), labels.slice(3000), thresholds)
    expect(covered / 3000).toBeGreaterThan(0.94)
    expect(covered / 3000).toBeLessThan(0.96)
    expect(size).toBeGreaterThan(1.5)
  })
})

it('quality counts covered photos and labels, each by its own threshold', () => {
  const rows = [
    [0.6, 0.3, 0.1],
    [0.9, 0.06, 0.04],
  ]
  expect(setQuality(rows, [1, 1], [0.8, 0.8])).toEqual({ covered: 1, size: 1.5 })
  expect(setQuality(rows, [1, 1], [0.8, 0.93])).toEqual({ covered: 2, size: 2 })
})

/** Photos whose label is drawn from the very probabilities that the row states. */
function drawn(count: number): { rows: number[][]; labels: number[] } {
  const random = new Random(1, 'calibration')
  const rows: number[][] = []
  const labels: number[] = []
  for (let photo = 0; photo < count; photo++) {
    const powers = Array.from({ length: 5 }, () => Math.exp(2 * random.normal()))
    const sum = powers.reduce((a, b) => a + b, 0)
    const row = powers.map((power) => power / sum)
    let rest = random.uniform()
    const label = row.findIndex((probability) => (rest -= probability) < 0)
    rows.push(row)
    labels.push(label < 0 ? 4 : label)
  }
  return { rows, labels }
}
