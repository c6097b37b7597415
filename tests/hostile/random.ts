import { uniform } from '@flowers/serve/testing/statistics'

/** Seeded numbers and choices. */
export class Random {
  /** From 0 to 1, 1 excluded. */
  readonly next: () => number

  constructor(seed: number) {
    this.next = uniform(seed)
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
