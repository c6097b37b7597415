import { z } from 'zod'
import { isRecord } from './record.ts'

/** Epochs that a share comes to in a phase of so many. */
type ShareOfPhase = (epochs: number) => number

/** A value without shares. */
export type Settled<T> = T extends ShareOfPhase
  ? number
  : T extends readonly unknown[]
    ? T
    : T extends object
      ? { [K in keyof T]: Settled<T[K]> }
      : T

const pattern = /^\d+(\.\d+)?(%|\/\d+)$/
const example = 'a share of the phase from 0 to all of it, such as "10%" or "5/120"'

/** Numerator and denominator, in [0, 1] together. */
function partsOf(share: string): readonly [number, number] {
  const [top = 0, bottom = 100] = share.replace('%', '').split('/').map(Number)
  return [top, bottom]
}

const isWithinPhase = (share: string): boolean => {
  const [top, bottom] = partsOf(share)
  return bottom > 0 && top <= bottom
}

/**
 * A length of time within a phase: a number of epochs, or a share of the phase, "10%" or "5/120". `round` makes of the
 * epochs that a share comes to what the number may be.
 */
export function duration(epochs: z.ZodNumber, round: (epochs: number) => number = (exact) => exact) {
  const share = z
    .string()
    .regex(pattern, { error: `not ${example}` })
    .refine(isWithinPhase, { error: `not ${example}`, when: ({ issues }) => issues.length === 0 })
    .transform((text): ShareOfPhase => {
      const [top, bottom] = partsOf(text)
      // Multiplied first: 5 % of 3 epochs is then 0.15, and no 0.15000000000000002.
      return (all) => round((top * all) / bottom)
    })
  return z.union([epochs, share], { error: `takes a number of epochs or ${example}` })
}

/** Every share below a value becomes the epochs that it comes to in a phase of so many. */
export function settleShares<T>(value: T, epochs: number): Settled<T> {
  const settle = (node: unknown): unknown => {
    if (typeof node === 'function') return (node as ShareOfPhase)(epochs)
    if (!isRecord(node)) return node
    return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, settle(each)]))
  }
  return settle(value) as Settled<T>
}
