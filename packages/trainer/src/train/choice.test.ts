import { describe, expect, it } from 'vitest'
import { isBetter, type Criterion } from './choice.ts'

const criteria: Criterion[] = ['accuracy', 'loss']

describe('of two scores, the better', () => {
  const score = { accuracy: 0.8, loss: 0.5 }

  it.each([
    ['accuracy', { accuracy: 0.81, loss: 9 }],
    ['accuracy', { accuracy: 0.8, loss: 0.49 }],
    ['loss', { accuracy: 0.1, loss: 0.49 }],
    ['loss', { accuracy: 0.81, loss: 0.5 }],
  ] as const)('by %s is %o', (criterion, other) => {
    expect(isBetter(other, score, criterion)).toBe(true)
    expect(isBetter(score, other, criterion)).toBe(false)
  })

  it.each(criteria)('by %s is neither of equals', (criterion) => {
    expect(isBetter({ ...score }, score, criterion)).toBe(false)
  })

  it.each(criteria.flatMap((criterion) => [NaN, Infinity].map((loss) => [criterion, loss] as const)))(
    'by %s is never one whose loss is %d',
    (criterion, loss) => {
      const broken = { accuracy: 1, loss }
      expect(isBetter(broken, score, criterion)).toBe(false)
      expect(isBetter(score, broken, criterion)).toBe(true)
      expect(isBetter(broken, broken, criterion)).toBe(false)
    },
  )
})
