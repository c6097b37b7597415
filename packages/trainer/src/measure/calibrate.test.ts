import { describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { abstains, answerOf, calibrate, calibrateTemperature, setsOf, type ScoredPhoto } from './calibrate.ts'
import { choosingPhotos, splitValidation } from './split-validation.ts'

const classes = 4
const seeded = (seed: number) => ({ seed, choosing: 'half' }) as const
const answersOf = (photos: readonly ScoredPhoto[]) =>
  photos.map(({ label, views }) => ({ label, mean: Float64Array.from(views[0]!) }))

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

/** Photos of which each view says something of its own about the class: one is a guess, four are not. */
function slowlySure(count: number): ScoredPhoto[] {
  const random = new Random(3, 'calibration')
  return Array.from({ length: count }, (_, photo) => {
    const label = photo % classes
    const view = (): number[] =>
      Array.from({ length: classes }, (_, index) => (index === label ? 1 : 0) + 1.5 * random.normal())
    return { label, views: Array.from({ length: 4 }, () => softmaxOf(view())) }
  })
}

function softmaxOf(logits: number[]): number[] {
  const powers = logits.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

describe('calibration', () => {
  const { calibration, quality } = calibrate(overconfident(4000), seeded(1))

  it('finds the temperature for each number of views', () => {
    expect(calibration.temperature).toHaveLength(3)
    for (const temperature of calibration.temperature ?? []) expect(temperature).toBeCloseTo(2, 0)
  })

  it('is fitted on one half and holds on the other', () => {
    expect(quality).toMatchObject({ fitted: 2000, heldOut: 2000 })
    expect(calibration.conformal).toMatchObject({ coverage: 0.95, count: 2000 })
    expect(quality.ece!.before).toBeGreaterThan(0.08)
    expect(quality.ece!.after).toBeLessThan(0.03)
    expect(quality.ece!.low).toBeLessThanOrEqual(quality.ece!.after)
    expect(quality.ece!.high).toBeGreaterThan(quality.ece!.after)
    // Three standard errors of a share of 0.95 measured on 2,000 photos with a threshold from 2,000 others: 0.021.
    const { exact, fast } = quality.policies
    expect(Math.abs((exact.set?.coverage.value ?? 0) - 0.95)).toBeLessThan(0.021)
    expect(exact.disagreement).toBe(0)
    expect(fast?.disagreement).toBeLessThanOrEqual(calibration.fastLead!.disagreementBound)
    expect(fast?.views).toBeLessThanOrEqual(exact.views)
  })

  it('of a temperature alone is the same', () => {
    const photos = answersOf(overconfident(600))
    const { calibration, quality } = calibrate(
      photos.map(({ label, mean }) => ({ label, views: [mean] })),
      seeded(1),
    )
    const { temperature, ...errors } = calibrateTemperature(photos, seeded(1))!
    expect(temperature).toBeCloseTo(2, 0)
    expect([temperature]).toEqual(calibration.temperature)
    expect(quality).toMatchObject(errors)
  })

  it('depends on the photos and the seed only', () => {
    expect(calibrate(overconfident(300), seeded(1))).toEqual(calibrate(overconfident(300), seeded(1)))
    expect(calibrate(overconfident(300), seeded(1))).not.toEqual(calibrate(overconfident(300), seeded(2)))
  })
})

describe('thresholds by number of views', () => {
  const { calibration, quality } = calibrate(slowlySure(4000), seeded(1))

  it('are one for each', () => {
    expect(calibration.conformal?.threshold).toHaveLength(4)
  })

  it('hold for one view as for all', () => {
    const { none, exact, full } = quality.policies
    for (const { set } of [none, full]) {
      // Three standard errors, as above.
      expect(Math.abs(set!.coverage.value - 0.95)).toBeLessThan(0.021)
    }
    expect(full.set!.size).toBeLessThan(none.set!.size)
    // What a single threshold would do to them.
    const { conformal } = calibration
    const all = {
      ...calibration,
      conformal: { ...conformal!, threshold: Array<number>(4).fill(conformal!.threshold[3]!) },
    }
    const first = slowlySure(4000).map((photo) => answerOf(photo, 'none', calibration))
    expect(Math.abs(setsOf(first, all)!.coverage.value - 0.95)).toBeGreaterThan(0.021)
    expect(exact.set!.coverage).toMatchObject({ count: 2000 })
    expect(exact.set!.coverage.low).toBeLessThan(exact.set!.coverage.value)
  })

  it('say what so many photos can promise', () => {
    // 101 of 2,000 photos may miss; 1.645 standard errors below 0.95.
    expect(quality.promisedCoverage).toBeCloseTo(0.942, 3)
  })
})

describe('what refuses', () => {
  const known = { form: 'trained', threshold: 0.5, refusedShare: 0.05, count: 100, isCalibrated: true } as const
  // One photo of ten is unlike the classes, and its answer is wrong for sure.
  const photos = overconfident(400).map((photo, index) =>
    index % 10 === 0
      ? { label: 1, views: photo.views.map(() => [1 - 3e-6, 1e-6, 1e-6, 1e-6]), known: 0.1 }
      : { ...photo, known: 0.9 },
  )

  it('says how many photos are refused, and what of the rest is right', () => {
    const { calibration, quality } = calibrate(photos, { ...seeded(1), known })
    expect(calibration.known).toEqual(known)
    const { share, falseAlarms, accuracy } = quality.policies.none.abstention!
    expect(share).toBeGreaterThan(0.05)
    expect(share).toBeLessThan(0.15)
    expect(falseAlarms).toBe(0)
    expect(accuracy).toBeGreaterThan(0.5)
    expect(calibrate(photos, seeded(1)).quality.policies.none.abstention).toBeNull()
  })

  it('leaves sets to the photos that are known', () => {
    const { calibration, quality } = calibrate(photos, { ...seeded(1), known })
    const kept = calibration.conformal!.count
    expect(kept).toBeGreaterThan(170)
    expect(kept).toBeLessThan(190)
    expect(quality.policies.none.set!.coverage.count).toBe(360 - kept)
    const all = calibrate(photos, seeded(1))
    expect(all.calibration.conformal!.count).toBe(200)
    // With the others among them, sets would have to hold more labels.
    expect(all.quality.policies.none.set!.size).toBeGreaterThan(quality.policies.none.set!.size)
  })
})

it('abstains by the threshold of the views used', () => {
  const calibration = {
    temperature: [1, 1],
    conformal: null,
    abstention: { temperature: 1, threshold: [0.5, 0.8], falseAlarmShare: 0.05, count: 20 },
    fastLead: null,
  }
  const mean = Float64Array.of(0.7, 0.3)
  expect(abstains({ mean, used: 1 }, calibration)).toBe(false)
  expect(abstains({ mean, used: 2 }, calibration)).toBe(true)
  expect(abstains({ mean, used: 2 }, { ...calibration, abstention: null })).toBe(false)
})

const unfitted = { temperature: null, conformal: null, known: null, fastLead: null }

describe('the photos that calibration is fitted on', () => {
  it('chose nothing: with under 200 validation photos none is left, and nothing is fitted or claimed', () => {
    const { calibration, quality } = calibrate(overconfident(199), seeded(1))
    expect(calibration).toEqual(unfitted)
    expect(quality).toMatchObject({ fitted: 0, heldOut: 199, networks: null, ece: null, promisedCoverage: null })
    expect(quality.policies.exact).toMatchObject({ set: null, abstention: null, disagreement: 0 })
    expect(quality.policies.fast).toBeNull()
    expect(calibrate(overconfident(200), seeded(1)).quality).toMatchObject({ fitted: 100, heldOut: 100 })
  })

  it('are none where all of them chose, however many', () => {
    expect(calibrate(overconfident(1000), { seed: 1, choosing: 'all' }).calibration).toEqual(unfitted)
    expect(calibrateTemperature(answersOf(overconfident(1000)), { seed: 1, choosing: 'all' })).toBeNull()
  })

  it('are never those that chose', () => {
    const photos = overconfident(400)
    const chose = new Set(choosingPhotos(photos, 'half', 1))
    // Not so many that the measured error withdraws what was fitted.
    const others = photos.map((photo, place) => (chose.has(photo) && place % 20 === 0 ? { ...photo, label: 0 } : photo))
    const { calibration } = calibrate(photos, seeded(1))
    expect(calibrate(others, seeded(1)).calibration).toEqual(calibration)
    const fitting = photos.map((photo) => (chose.has(photo) ? photo : { ...photo, label: 0 }))
    expect(calibrate(fitting, seeded(1)).calibration).not.toEqual(calibration)
  })

  it('are out-of-fold answers where validation has too few, measured by halves', () => {
    const outOfFold = { networks: 5, photos: overconfident(1000) }
    const few = overconfident(50)
    const { calibration, quality } = calibrate(few, { ...seeded(1), outOfFold })
    expect(quality).toMatchObject({ fitted: 1000, heldOut: 1000, networks: 5 })
    expect(calibration.networks).toBe(5)
    for (const temperature of calibration.temperature!) expect(temperature).toBeCloseTo(2, 0)
    expect(quality.ece!.after).toBeLessThan(0.05)
    expect(quality.ece!.before).toBeGreaterThan(0.08)
    expect(quality.policies.exact.set!.coverage).toMatchObject({ count: 1000 })
    const tooFew = { networks: 5, photos: overconfident(99) }
    expect(calibrate(few, { ...seeded(1), outOfFold: tooFew }).calibration).toEqual(unfitted)
    const enough = calibrate(overconfident(300), { ...seeded(1), outOfFold })
    expect(enough).toEqual(calibrate(overconfident(300), seeded(1)))
  })

  it('measure out-of-fold answers by what was fitted on others', () => {
    const photos = overconfident(200)
    const { quality } = calibrate([], { ...seeded(1), outOfFold: { networks: 2, photos } })
    const { fit, held } = splitValidation(photos, 1)
    const otherLabels = photos.map((photo) => (fit.includes(photo) ? { ...photo, label: 3 - photo.label } : photo))
    const changed = calibrate([], { ...seeded(1), outOfFold: { networks: 2, photos: otherLabels } })
    // The half that stayed is judged by what the other half, which changed, was fitted to.
    const errors = [quality, changed.quality].map(({ ece, withdrawn }) => ece ?? withdrawn)
    expect(errors[1]).not.toEqual(errors[0])
    expect(held).toHaveLength(100)
  })
})

it('keeps the temperature of fewer views where all photos are right by more', () => {
  const photos = overconfident(400).map(({ label, views }) => ({
    label,
    views: [views[0]!, Array.from({ length: classes }, (_, index) => (index === label ? 1e6 : 0))],
  }))
  const { temperature } = calibrate(photos, seeded(1)).calibration
  expect(temperature![0]).toBeGreaterThan(1.5)
  expect(temperature![1]).toBe(temperature![0])
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

it('withdraws temperatures that leave probabilities far off', () => {
  const random = new Random(9, 'calibration')
  // Surely right or mere chance, said with the same probability: no temperature tells them apart by what was said.
  const photos = Array.from({ length: 600 }, (_, photo) => {
    const best = photo % 2 === 0 ? 0.97 : 0.6
    const isRight = photo % 2 === 0 ? random.uniform() < 0.6 : random.uniform() < 0.97
    const views = [[best, (1 - best) / 3, (1 - best) / 3, (1 - best) / 3]]
    return { label: isRight ? 0 : 1, views }
  })
  const { calibration, quality } = calibrate(photos, seeded(1))
  expect(calibration.temperature).toBeNull()
  expect(quality.ece).toBeNull()
  expect(quality.withdrawn!.low).toBeGreaterThan(0.05)
  expect(calibration.conformal).not.toBeNull()
})
