/** IEEE 754 binary16 (as its bits) to float32, exact, subnormals, infinities and NaN included. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) values[i] = float16Values[bits[i] ?? 0] ?? 0
  return values
}

/** bfloat16 (as its bits) to float32, exact: the upper half of the float32's bits. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length)
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16
  return new Float32Array(words.buffer)
}

const float16Values = Float32Array.from({ length: 2 ** 16 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
})
