import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { duration, settleShares } from './duration.ts'

const exact = duration(z.number().min(0))
const whole = duration(z.int().min(0), Math.round)

/** Epochs that a duration comes to in a phase of so many. */
const settled = (schema: z.ZodType, value: unknown, epochs: number) =>
  settleShares({ phase: { lasts: schema.parse(value) } }, epochs).phase.lasts

describe('a duration', () => {
  it.each([
    [2.5, 2.5],
    ['10%', 0.3],
    // Not 0.15000000000000002.
    ['5%', 0.15],
    ['12.5%', 0.375],
    ['5/120', 0.125],
    ['0.5/3', 0.5],
    ['0%', 0],
    ['100%', 3],
  ])('of %s is %d of 3 epochs', (value, epochs) => {
    expect(settled(exact, value, 3)).toBe(epochs)
  })

  it('is rounded as its setting asks, where it is a share', () => {
    expect(['10%', '15%', '50%', 4].map((value) => settled(whole, value, 10))).toEqual([1, 2, 5, 4])
  })

  it.each([-1, '10', '10 %', '-10%', '101%', '3/2', '1/0', '1/0.5', 'soon', '', '10%%', true, null, {}])(
    'is not %j, and the message says what it may be',
    (value) => {
      const { error } = exact.safeParse(value)
      expect(error?.issues).toHaveLength(1)
      expect(error?.issues[0]?.message).toMatch(value === -1 ? />=0/ : /such as "10%" or "5\/120"/)
    },
  )

  it('is described to other tools', () => {
    expect(z.toJSONSchema(whole, { io: 'input' })).toMatchObject({
      anyOf: [
        { type: 'integer', minimum: 0 },
        { type: 'string', pattern: expect.any(String) as string },
      ],
    })
  })
})

it('settling shares leaves everything else as it is', () => {
  const phase = { mix: null, views: [{ flip: 'none' }], schedule: { kind: 'cosine', warmupEpochs: 2 } }
  expect(settleShares(phase, 10)).toEqual(phase)
})
