import { describe, expect, it } from 'vitest'
import { philox, Random } from './random.ts'

describe('philox', () => {
  it('gives the known answers of the Random123 library', () => {
    expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
    const ones = 0xffffffff
    expect(philox([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ])
  })
})

describe('Random', () => {
  it('is a function of its address alone, and every part of the address counts', () => {
    const draw = (...address: ConstructorParameters<typeof Random>) => {
      const random = new Random(...address)
      return [random.word(), random.word(), random.word(), random.word(), random.word()]
    }
    const base = draw(7, 'crop', 3, 11)
    expect(draw(7, 'crop', 3, 11)).toEqual(base)
    for (const other of [
      draw(8, 'crop', 3, 11),
      draw(7, 'order', 3, 11),
      draw(7, 'crop', 4, 11),
      draw(7, 'crop', 3, 12),
    ]) {
      expect(other).not.toEqual(base)
    }
    expect(draw(7 + 2 ** 32, 'crop', 3, 11)).not.toEqual(base)
  })

  it('draws uniform, integer and normal numbers with the right moments', () => {
    const random = new Random(1, 'crop')
    const count = 20_000
    let uniform = 0
    let normal = 0
    let square = 0
    const buckets = new Array<number>(7).fill(0)
    for (let index = 0; index < count; index++) {
      uniform += random.uniform()
      const value = random.normal()
      normal += value
      square += value * value
      const bucket = random.integer(7)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    // Five standard errors.
    expect(Math.abs(uniform / count - 0.5)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(count))
    expect(Math.abs(normal / count)).toBeLessThan(5 / Math.sqrt(count))
    expect(Math.abs(square / count - 1)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(count))
    for (const bucket of buckets) expect(Math.abs(bucket - count / 7)).toBeLessThan(5 * Math.sqrt(count / 7))
  })

  it('shuffles into permutations', () => {
    const order = new Random(2, 'order').shuffle(Int32Array.from({ length: 100 }, (_, index) => index))
    expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect(order[0] === 0 && order[1] === 1 && order[2] === 2).toBe(false)
  })

  it('refuses a seed that is no integer', () => {
    expect(() => new Random(1.5, 'crop')).toThrow(RangeError)
    expect(() => new Random(-1, 'crop')).toThrow(RangeError)
  })
})
