import { expect, it } from 'vitest'
import { padded } from './padded.ts'

it('fills a short batch up with zeros and keeps its type', () => {
  expect(padded(Uint8Array.of(7, 8), 4)).toEqual(Uint8Array.of(7, 8, 0, 0))
  expect(padded(Float32Array.of(0.5), 2)).toEqual(Float32Array.of(0.5, 0))
  expect(() => padded(Uint8Array.of(1, 2), 1)).toThrow(RangeError)
})
