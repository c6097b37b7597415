import { inputs } from '../image-contract-inputs.ts'
import type { Random } from './random.ts'

/** Images of every format, whole and broken, small enough to be sent often. */
export async function seedImages(): Promise<Buffer[]> {
  const all = await Promise.all(Object.values(inputs).map(async (make) => Buffer.from((await make()).bytes)))
  return all.filter(({ length }) => length > 0 && length < 20_000)
}

/** Changes some of the bytes: bits, words, ranges cut out, doubled or taken from another image. */
export function mutate(random: Random, image: Buffer, others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(image)
  for (let count = 1 + random.below(4); count > 0 && bytes.length > 0; count--) {
    const at = random.below(bytes.length)
    const end = Math.min(bytes.length, at + 1 + random.below(64))
    const change = random.pick<() => Buffer>([
      () =>
        Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([bytes[at]! ^ (1 << random.below(8))]),
          bytes.subarray(at + 1),
        ]),
      () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]),
      () => Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]),
      () => Buffer.concat([bytes.subarray(0, at), random.bytes(end - at), bytes.subarray(end)]),
      () => Buffer.concat([bytes.subarray(0, at), word(random), bytes.subarray(Math.min(bytes.length, at + 4))]),
      () => bytes.subarray(0, at),
      () => {
        const other = random.pick(others)
        return Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length))])
      },
    ])
    bytes = change()
  }
  return bytes
}

/** Numbers at which lengths and counts go wrong. */
export function word(random: Random): Buffer {
  const bytes = Buffer.alloc(4)
  const number = random.pick([0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff])
  if (random.chance(0.5)) bytes.writeUInt32BE(number)
  else bytes.writeUInt32LE(number)
  return bytes
}

/** An image, mostly a changed one, or bytes that are none. */
export function someImage(random: Random, images: readonly Buffer[]): Buffer {
  if (random.chance(0.1)) return random.bytes(random.below(2000))
  const image = random.pick(images)
  return random.chance(0.15) ? image : mutate(random, image, images)
}
