import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { answerOf, calibrate } from './calibrate.ts'
import type { ScoredPhoto } from './calibrate.ts'

const classes = 4

/**
 * Photos whose views say a class twice as surely as they should (logits doubled), and whose labels are drawn from what
 * they should have said.
 */
function overconfident(count: number): ScoredPhoto[] {
  const random = new Random(7, 'calibration')
  return Array.from({ length: count }, () => {
    const logits = Array.from({ length: classes }, () => 2 * random.normal())
    const truth = softmaxOf(logits)
    let rest = random.uniform()
    const label = Math.max(
      0,
      truth.findIndex((probability) => (rest -= probability) < 0),
    )
    return { label, views: Array.from({ length: 3 }, () => softmaxOf(logits.map((logit) => 2 * logit))) }
  })
}

function softmaxOf(logits: number[]): number[] {
  const powers = logits.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

describe('calibration', () => {
  const { calibration, report } = calibrate(overconfident(4000), 1)

  it('finds the temperature for each number of views', () => {
    expect(calibration.temperature).toHaveLength(3)
    for (const temperature of calibration.temperature) expect(temperature).toBeCloseTo(2, 0)
  })

  it('is fitted on one half and holds on the other', () => {
    expect(report).toMatchObject({ fitted: 2000, heldOut: 2000 })
    expect(calibration.conformal).toMatchObject({ coverage: 0.95, count: 2000 })
    expect(report.ece.before).toBeGreaterThan(0.08)
    expect(report.ece.after).toBeLessThan(0.03)
    // Three standard errors of a share of 0.95 measured on 2,000 photos with a threshold from 2,000 others: 0.021.
    expect(Math.abs((report.set?.coverage ?? 0) - 0.95)).toBeLessThan(0.021)
    expect(report.abstention?.falseAlarms).toBeCloseTo(0.05, 1)
    expect(report.exact.disagreement).toBe(0)
    expect(report.fast?.disagreement).toBeLessThanOrEqual(calibration.fastLead!.disagreementBound)
    expect(report.fast?.views).toBeLessThanOrEqual(report.exact.views)
  })

  it('depends on the photos and the seed only', () => {
    expect(calibrate(overconfident(300), 1)).toEqual(calibrate(overconfident(300), 1))
    expect(calibrate(overconfident(300), 1)).not.toEqual(calibrate(overconfident(300), 2))
  })
})

it('fits nothing on a handful of photos', () => {
  const { calibration } = calibrate(overconfident(16), 1)
  expect(calibration).toEqual({ temperature: [1, 1, 1], conformal: null, abstention: null, fastLead: null })
})

it('answers with the temperature of the views that were used', () => {
  const views = [
    [0.9, 0.1],
    [0.9, 0.1],
    [0.9, 0.1],
  ]
  const answer = answerOf({ label: 0, views }, 'exact', { temperature: [5, 2, 7], fastLead: null })
  // After two of three views the lead 1.6 is more than what is left; odds 9 become 3 at temperature 2.
  expect(answer.used).toBe(2)
  expect(answer.scores[0]).toBeCloseTo(0.75, 12)
  expect(answer.mean[0]).toBeCloseTo(0.9, 12)
})
