import { expect, it } from 'vitest'
import { expectedCalibrationError, measureCalibrationError, reliabilityBins } from './calibration-error.ts'

it('weights the gap of each bin by its photos', () => {
  // Two bins: (0, 0.5] holds 0.4 right and 0.5 wrong, gap |0.5 - 0.45|; (0.5, 1] holds 0.9 right and 1 wrong, gap |0.5 - 0.95|.
  const error = expectedCalibrationError([0.4, 0.5, 0.9, 1], [true, false, true, false], 2)
  expect(error).toBeCloseTo(0.5 * 0.05 + 0.5 * 0.45, 12)
})

it('is 0 when confidence is accuracy, and takes 0 and 1 as confidences', () => {
  expect(expectedCalibrationError([1, 1, 0], [true, true, false])).toBe(0)
  expect(expectedCalibrationError([1, 1], [false, false])).toBe(1)
})

it('uses 15 bins unless told', () => {
  // 0.60 and 0.67 fall on both sides of 10/15: each bin has its own gap. In one bin the gaps would cancel.
  expect(expectedCalibrationError([0.6, 0.67], [true, false])).toBeCloseTo((0.4 + 0.67) / 2, 12)
})

it('says of each bin how often it is right and how sure it is', () => {
  const bins = reliabilityBins([0.4, 0.5, 0.9, 1], [true, false, true, true], 4)
  expect(bins.map(({ photos }) => photos)).toEqual([0, 2, 0, 2])
  expect(bins.map(({ accuracy }) => accuracy)).toEqual([0, 0.5, 0, 1])
  expect(bins[1]!.confidence).toBeCloseTo(0.45, 12)
  expect(bins[3]!.confidence).toBeCloseTo(0.95, 12)
})

it('has an interval that holds its value, narrower with more photos', () => {
  const measured = (count: number) => {
    const confidences = Array.from({ length: count }, (_, photo) => 0.55 + (photo % 9) / 20)
    const right = confidences.map((confidence, photo) => (photo * 7919) % 100 < 100 * confidence)
    const { value, low, high } = measureCalibrationError(confidences, right)
    expect(value).toBeCloseTo(expectedCalibrationError(confidences, right), 12)
    expect(low).toBeLessThanOrEqual(value)
    expect(high).toBeGreaterThan(value)
    return high - low
  }
  expect(measured(1600)).toBeLessThan(measured(100))
})

it('has an interval that reaches 0 where few photos of a calibrated model differ by chance', () => {
  const confidences = Array.from({ length: 100 }, (_, photo) => 0.5 + (photo % 10) / 20)
  const right = confidences.map((confidence, photo) => (photo * 37) % 100 < 100 * confidence)
  expect(measureCalibrationError(confidences, right).low).toBe(0)
})
