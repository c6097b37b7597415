/** TensorFlow's numbers of types (tensorflow/core/framework/types.proto). */
export const dataTypes = {
  float32: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
  resource: 20,
} as const

export type DataTypeName = keyof typeof dataTypes

/** Bytes a value, for the types whose values cross to JavaScript. */
export const itemSizes: Readonly<Record<number, number>> = {
  [dataTypes.float32]: 4,
  [dataTypes.int32]: 4,
  [dataTypes.uint8]: 1,
  [dataTypes.complex64]: 8,
  [dataTypes.int64]: 8,
  [dataTypes.bool]: 1,
}

/** Bytes a value has in TensorFlow; 0 for a type without a fixed size. */
export const valueBytes = (dtype: number): number =>
  itemSizes[dtype] ?? (dtype === dataTypes.bfloat16 || dtype === dataTypes.float16 ? 2 : 0)

type Values = Float32Array | Int32Array | Uint8Array

/** Bytes as the array that tfjs expects for a type; int64 becomes int32 (tfjs has no wider integer). */
export const readers: Readonly<Record<number, (buffer: ArrayBuffer) => Values>> = {
  [dataTypes.float32]: (buffer) => new Float32Array(buffer),
  [dataTypes.int32]: (buffer) => new Int32Array(buffer),
  [dataTypes.uint8]: (buffer) => new Uint8Array(buffer),
  [dataTypes.bool]: (buffer) => new Uint8Array(buffer),
  [dataTypes.complex64]: (buffer) => new Float32Array(buffer),
  [dataTypes.int64]: (buffer) => Int32Array.from(new BigInt64Array(buffer), Number),
}

/** Values from tfjs as the array whose bytes TensorFlow expects. */
export const writers: Readonly<Record<number, (values: ArrayLike<number>) => ArrayBufferView>> = {
  [dataTypes.float32]: (values) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  [dataTypes.int32]: (values) => (values instanceof Int32Array ? values : Int32Array.from(values)),
  [dataTypes.uint8]: (values) => (values instanceof Uint8Array ? values : Uint8Array.from(values)),
  [dataTypes.bool]: (values) => (values instanceof Uint8Array ? values : Uint8Array.from(values, Number)),
  [dataTypes.complex64]: (values) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  [dataTypes.int64]: (values) => BigInt64Array.from(Array.from(values, BigInt)),
}

export function dataTypeName(dtype: number): string {
  return Object.entries(dataTypes).find(([, number]) => number === dtype)?.[0] ?? `type ${dtype}`
}
