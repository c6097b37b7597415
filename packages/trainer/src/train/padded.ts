/**
 * A short last batch, filled up with zeros to `length` values: TensorFlow traces a function once more for every new shape.
 * Throws RangeError if there are more values.
 */
export function padded<T extends Uint8Array | Float32Array>(values: T, length: number): T {
  const whole = (values instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)) as T
  whole.set(values)
  return whole
}
