import { expect, it } from 'vitest'
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts'

it('widens binary16', () => {
  const bits = [0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x83ff, 0x0400, 0x7c00, 0xfc00, 0x7e00, 0x3555]
  const values = [0, -0, 1, -2, 65504, 2 ** -24, -1023 * 2 ** -24, 2 ** -14, Infinity, -Infinity, NaN, 0.333251953125]
  expect(float16ToFloat32(Uint16Array.from(bits))).toEqual(Float32Array.from(values))
})

it('widens bfloat16', () => {
  const bits = [0x0000, 0x8000, 0x3f80, 0xc000, 0x7f80, 0x7fc0, 0x3eaa]
  expect(bfloat16ToFloat32(Uint16Array.from(bits))).toEqual(
    Float32Array.from([0, -0, 1, -2, Infinity, NaN, 0.33203125]),
  )
})
