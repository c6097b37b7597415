import { describe, expect, it } from 'vitest'
import { assertFinite } from './finite.ts'

const preprocessing = {
  size: 1,
  cropFraction: 1,
  kernel: 'bilinear',
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
} as const
const of = (values: number[]): Float32Array => Float32Array.from(values)
const assert = (logits: number[][], rows: number[][]): void =>
  assertFinite(logits.map(of), rows.map(of), { ...preprocessing, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] })

describe('logits', () => {
  it('that are finite are answered, whatever the values', () => {
    expect(() => assert([[1, -1]], [[3e38, 0, 0]])).not.toThrow()
  })

  it.each([Number.NaN, Infinity, -Infinity])(
    'of %d are the fault of a row with values that no picture has',
    (logit) => {
      expect(() =>
        assert(
          [
            [0, 1],
            [1, logit],
          ],
          [
            [0, 0, 0],
            [2, -2, -3e38],
          ],
        ),
      ).toThrow(expect.objectContaining({ code: 'SERVICE_TENSOR', message: expect.stringMatching(/Row 1 .*-3e\+38/) }))
    },
  )

  it('of a row that a picture may have are the fault of the model', () => {
    const logits = [[Number.NaN, 0]]
    expect(() => assert(logits, [[2, -2, 0]])).toThrow(expect.objectContaining({ code: 'MODEL_OUTPUT' }))
  })
})
