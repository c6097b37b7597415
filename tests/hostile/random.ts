/** Seeded numbers and choices (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 to 1, 1 excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from 0 to `below`, `below` excluded. */
  below(below: number): number {
    return Math.floor(this.next() * below)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  /** Text of one line, of any characters of Latin-1 that a header may have. */
  text(length: number): string {
    return Array.from({ length }, () =>
      String.fromCharCode(this.pick([32, 34, 37, 44, 59, 61, 92, 128]) + this.below(64)),
    ).join('')
  }
}
