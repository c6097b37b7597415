import { describe, expect, it } from 'vitest'
import {
  answer,
  applyTemperature,
  conformalSetSize,
  inDistributionScore,
  ranking,
  type AnswerRules,
} from './calibration.ts'

describe('applyTemperature', () => {
  it('changes nothing at 1 and sharpens below', () => {
    expect([...applyTemperature([0.2, 0.8], 1)].map((value) => Number(value.toFixed(12)))).toEqual([0.2, 0.8])
    const sharp = applyTemperature([0.2, 0.8], 0.5)
    expect(sharp[1]).toBeCloseTo(0.64 / 0.68, 12)
  })

  it('keeps a probability of 0 at 0', () => {
    expect([...applyTemperature([0, 0.5, 0.5], 2)]).toEqual([0, 0.5, 0.5])
  })
})

describe('conformalSetSize', () => {
  it('counts the class that reaches the threshold', () => {
    expect(conformalSetSize([0.6, 0.3, 0.1], 0.5)).toBe(1)
    expect(conformalSetSize([0.6, 0.3, 0.1], 0.61)).toBe(2)
    expect(conformalSetSize([0.6, 0.3, 0.1], 1.1)).toBe(3)
    expect(conformalSetSize([0.6, 0.3, 0.1], 0)).toBe(1)
  })
})

describe('inDistributionScore', () => {
  it('tells apart what is equally sure by how the other classes compare', () => {
    const flower = [0.9, 0.0998, 0.0001, 0.0001]
    const stripes = [0.9, 0.0334, 0.0333, 0.0333]
    expect(inDistributionScore(flower, 1)).toBeCloseTo(inDistributionScore(stripes, 1), 12)
    expect(inDistributionScore(flower, 2)).toBeCloseTo(0.739, 3)
    expect(inDistributionScore(stripes, 2)).toBeCloseTo(0.634, 3)
  })
})

describe('answer', () => {
  /** Of a model of an earlier release. */
  const rules: AnswerRules = {
    labels: ['daisy', 'iris', 'rose'],
    calibration: {
      temperature: [1, 2],
      conformal: { coverage: 0.9, threshold: [0.9, 0.97], count: 100 },
      abstention: { temperature: 2, threshold: [0.5, 0.6], falseAlarmShare: 0.05, count: 100 },
      fastLead: null,
    },
  }

  it('lists predictions best first, at most topK, with the set and the abstention', () => {
    const one = answer({ mean: [0.05, 0.25, 0.7], used: 1, known: null }, rules, 2)
    expect(one.predictions.map(({ label, index }) => [label, index])).toEqual([
      ['rose', 2],
      ['iris', 1],
    ])
    expect(one.predictions[0]?.score).toBeCloseTo(0.7, 12)
    expect(one.set).toEqual(['rose', 'iris'])
    expect(one.abstain).toBe(false)
  })

  it('takes temperature and thresholds of the number of views used', () => {
    const two = answer({ mean: [0.05, 0.25, 0.7], used: 2, known: null }, rules, 1)
    expect(two.predictions[0]?.score).toBeLessThan(0.65)
    // Its in-distribution score is 0.54 whatever the views.
    expect(two.abstain).toBe(true)
    expect(two.set).toEqual(['rose', 'iris', 'daisy'])
    const sharp = { ...rules, calibration: { ...rules.calibration, temperature: [1, 1] } }
    const mean = [0.01, 0.06, 0.93]
    expect([1, 2].map((used) => answer({ mean: mean, used: used, known: null }, sharp, 1).set)).toEqual([
      ['rose'],
      ['rose', 'iris'],
    ])
  })

  it('has no set and never abstains where neither was fitted', () => {
    const plain = answer(
      { mean: [0.4, 0.3, 0.3], used: 1, known: null },
      { ...rules, calibration: { ...rules.calibration, conformal: null, abstention: null } },
      5,
    )
    expect(plain).toMatchObject({ set: null, known: null, level: 'perhaps', abstain: false })
    expect(plain.predictions.map(({ index }) => index)).toEqual([0, 1, 2])
  })

  describe('of a model that refuses by its output `known`', () => {
    const known = { form: 'trained', threshold: 0.3, refusedShare: 0.05, count: 100, isCalibrated: true } as const
    const { abstention: _, ...calibration } = rules.calibration
    const refusing: AnswerRules = { ...rules, calibration: { ...calibration, known } }
    const sure = { mean: [0.02, 0.03, 0.95], used: 1 }
    const unsure = { mean: [0.05, 0.25, 0.7], used: 1 }

    it('refuses below the threshold, is sure of a set of one, and else says perhaps', () => {
      expect(answer({ ...sure, known: 0.29 }, refusing, 1)).toMatchObject({ level: 'none', abstain: true, known: 0.29 })
      expect(answer({ ...sure, known: 0.3 }, refusing, 1)).toMatchObject({ level: 'sure', abstain: false, known: 0.3 })
      expect(answer({ ...unsure, known: 0.9 }, refusing, 1)).toMatchObject({ level: 'perhaps', abstain: false })
    })

    it('gives no probability where it was not calibrated', () => {
      const nearest = { ...calibration, known: { ...known, form: 'nearest', isCalibrated: false } as const }
      expect(answer({ ...sure, known: 0.2 }, { ...rules, calibration: nearest }, 1)).toMatchObject({
        level: 'none',
        known: null,
      })
    })

    it('is never sure where no sets were fitted', () => {
      const without = { ...refusing, calibration: { ...refusing.calibration, conformal: null } }
      expect(answer({ ...sure, known: 0.9 }, without, 1)).toMatchObject({ level: 'perhaps', set: null, group: null })
    })

    it('names the group where its labels together reach what a set must hold', () => {
      const grouped = {
        ...refusing,
        groups: new Map([
          ['iris', 'lily'],
          ['rose', 'lily'],
        ]),
      }
      expect(answer({ ...unsure, known: 0.9 }, grouped, 1).group).toBe('lily')
      expect(answer({ ...unsure, known: 0.1 }, grouped, 1).group).toBeNull()
      expect(answer({ ...sure, known: 0.9 }, grouped, 1).group).toBeNull()
      expect(answer({ mean: [0.25, 0.05, 0.7], used: 1, known: 0.9 }, grouped, 1).group).toBeNull()
      expect(answer({ ...unsure, known: 0.9 }, refusing, 1).group).toBeNull()
    })
  })

  it('says that scores are not calibrated where no temperature was fitted', () => {
    const plain = { ...rules, calibration: { ...rules.calibration, temperature: null } }
    const { calibrated, predictions } = answer({ mean: [0.05, 0.25, 0.7], used: 2, known: null }, plain, 1)
    expect(calibrated).toBe(false)
    expect(predictions[0]?.score).toBeCloseTo(0.7, 12)
  })

  it('keeps the order of the mean where calibration rounds it away', () => {
    const flat = { ...rules, calibration: { ...rules.calibration, temperature: [1e18] } }
    expect(answer({ mean: [0.3, 0.3, 0.4], used: 1, known: null }, flat, 1).predictions[0]?.label).toBe('rose')
    expect(ranking([0.3, 0.4, 0.3])).toEqual([1, 0, 2])
  })
})
