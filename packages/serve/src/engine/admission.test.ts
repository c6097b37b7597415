import { describe, expect, it } from 'vitest'
import { sixViews } from '@flowers/shared/image/view'
import { allowedPolicies, serviceLevel, UsualNeeds } from './admission.ts'

const calibration = { temperature: [1], conformal: null, abstention: null, fastLead: null }
const exactOnly = { views: [...sixViews], calibration }
const fastLead = { lead: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], disagreementBound: 0.01, count: 1 }
const withFast = { ...exactOnly, calibration: { ...calibration, fastLead } }

describe('allowedPolicies', () => {
  it('is the one that is asked, unless the service may step down', () => {
    expect(allowedPolicies(withFast, 'full', false)).toEqual(['full'])
    expect(allowedPolicies(withFast, 'full', true)).toEqual(['full', 'exact', 'fast', 'none'])
    expect(allowedPolicies(withFast, 'fast', true)).toEqual(['fast', 'none'])
  })

  it('leaves out fast where it was not fitted, and everything cheaper where there is one view', () => {
    expect(allowedPolicies(exactOnly, 'fast', true)).toEqual(['exact', 'none'])
    expect(allowedPolicies({ ...withFast, views: sixViews.slice(0, 1) }, 'full', true)).toEqual(['full'])
  })
})

it('a service level counts threads for the work and workers for the latency', () => {
  const cost = { seconds: (views: number) => 1 + views }
  const level = serviceLevel({ cost, plan: { workers: 2, threads: 3 }, batch: 2 }, 'exact', 4)
  // Two runs of two views at 3 s each; either worker takes one.
  expect(level).toEqual({ policy: 'exact', work: 3 * 6, latency: 3 })
})

describe('UsualNeeds', () => {
  it('begins with the views that a policy needs in any case, and follows what images needed', () => {
    const usual = new UsualNeeds(withFast)
    const views = (): number[] => (['full', 'exact', 'fast', 'none'] as const).map((policy) => usual.views(policy))
    expect(views()).toEqual([6, 4, 1, 1])
    usual.answered('exact', 6)
    usual.answered('fast', 2)
    expect(views()).toEqual([6, 4.2, 1.1, 1])
  })

  it('averages the time to decode', () => {
    const usual = new UsualNeeds(exactOnly)
    usual.decoded(1)
    expect(usual.decodeSeconds).toBeCloseTo(0.1, 9)
    usual.decoded(1)
    expect(usual.decodeSeconds).toBeCloseTo(0.19, 9)
  })
})
