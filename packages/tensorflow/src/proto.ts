/**
 * The few protocol buffer messages that cross the C API, written and read by field number
 * (https://protobuf.dev/programming-guides/encoding).
 */

const varintWire = 0
const fixed64Wire = 1
const bytesWire = 2
const fixed32Wire = 5

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return bytes
}

/** A field of type int32, int64, bool or enum. */
export const integerField = (field: number, value: number): Uint8Array =>
  Uint8Array.from([...varint(field * 8 + varintWire), ...varint(value)])

/** A field that is itself a message. */
export function messageField(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return joinBytes(Uint8Array.from([...varint(field * 8 + bytesWire), ...varint(length)]), ...parts)
}

export const joinBytes = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** A field as read: a number for the integer types, bytes for strings and messages; fixed-width fields are left out. */
export interface Field {
  readonly number: number
  readonly value: number | Uint8Array
}

/** The fields of a message in order. Throws a RangeError when the bytes are not a message. */
export function* readFields(message: Uint8Array): Generator<Field> {
  let position = 0
  const next = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[position++]
      if (byte === undefined) throw new RangeError('truncated protocol buffer')
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(value)
    }
  }
  while (position < message.length) {
    const key = next()
    const number = key >> 3
    const wire = key & 7
    if (wire === varintWire) yield { number, value: next() }
    else if (wire === bytesWire) {
      const length = next()
      if (position + length > message.length) throw new RangeError('truncated protocol buffer')
      yield { number, value: message.subarray(position, position + length) }
      position += length
    } else if (wire === fixed32Wire) position += 4
    else if (wire === fixed64Wire) position += 8
    else throw new RangeError(`wire type ${wire} in a protocol buffer`)
  }
}
