/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
 * 1, 2, 3" (SC 2011). The n-th number of a stream is a pure function of (seed, stream, epoch, position, n), so what a
 * photo gets does not depend on which photos were decoded before it, or by how many threads.
 */

const multiplier0 = 0xd2511f53
const multiplier1 = 0xcd9e8d57
const weyl0 = 0x9e3779b9
const weyl1 = 0xbb67ae85

/** High 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const cross = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + (middle >>> 16) + (cross >>> 16)) >>> 0
}

type Words = readonly [number, number, number, number]

/** Ten Philox rounds: a 128-bit counter and a 64-bit key, as unsigned 32-bit words, to 128 random bits. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [a, b, c, d] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(multiplier0, a)
    const low0 = Math.imul(multiplier0, a) >>> 0
    const high1 = multiplyHigh(multiplier1, c)
    const low1 = Math.imul(multiplier1, c) >>> 0
    a = (high1 ^ b ^ k0) >>> 0
    b = low1
    c = (high0 ^ d ^ k1) >>> 0
    d = low0
    k0 = (k0 + weyl0) >>> 0
    k1 = (k1 + weyl1) >>> 0
  }
  return [a, b, c, d]
}

/** What a stream of random numbers is for. Uses with different names never share numbers. */
const streams = {
  split: 1,
  order: 2,
  crop: 3,
  drawing: 4,
  scene: 5,
  parameters: 6,
  step: 7,
  augment: 8,
  mix: 9,
  bootstrap: 10,
  calibration: 11,
  parity: 12,
  report: 13,
  components: 14,
  folds: 15,
} as const

export type Stream = keyof typeof streams

/** One stream of random numbers, addressed by (seed, use, epoch, position). `seed` is a non-negative safe integer. */
export class Random {
  readonly #key: readonly [number, number]
  readonly #address: readonly [number, number, number]
  #block = 0
  #words: Words = [0, 0, 0, 0]
  #used = 4

  constructor(seed: number, stream: Stream, epoch = 0, position = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is a non-negative integer, not ${seed}`)
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)]
    this.#address = [position >>> 0, epoch >>> 0, streams[stream]]
  }

  /** An unsigned 32-bit integer. */
  word(): number {
    if (this.#used === 4) {
      this.#words = philox([this.#block++, ...this.#address], this.#key)
      this.#used = 0
    }
    return this.#words[this.#used++] as number
  }

  /** In [0, 1), with 53 random bits. */
  uniform(): number {
    return ((this.word() >>> 5) * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform()
  }

  /** An integer in [0, count), every one equally likely. `count` is at most 2^32. */
  integer(count: number): number {
    const fair = 2 ** 32 - (2 ** 32 % count)
    for (;;) {
      const word = this.word()
      if (word < fair) return word % count
    }
  }

  /** From the standard normal distribution (Box and Muller 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T
  }

  /** Shuffles in place, every order equally likely (Fisher and Yates). */
  shuffle<T extends unknown[] | Int32Array>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.integer(last + 1)
      const kept = items[last]
      items[last] = items[other]
      items[other] = kept
    }
    return items
  }
}
