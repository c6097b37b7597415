import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import { SharedError } from '@flowers/shared/errors'
import { misfit } from './request.ts'

/** Rounding to float32 moves no value of a picture by more. */
const rounding = 1e-3

/**
 * Throws when a row of what a network gives has a value that is not finite: SERVICE_TENSOR where the values of its row of
 * pixels are none that a picture gives, else MODEL_OUTPUT. `rows`: 3 x S x S normalised values each.
 */
export function assertFinite(
  outputs: readonly ArrayLike<number>[],
  rows: readonly Float32Array[],
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'>,
): void {
  const broken = outputs.findIndex((row) => !Array.from(row).every(Number.isFinite))
  if (broken < 0) return
  const low = Math.min(...mean.map((value, channel) => -value / std[channel]!))
  const high = Math.max(...mean.map((value, channel) => (1 - value) / std[channel]!))
  const absurd = rows[broken]!.find((value) => value < low - rounding || value > high + rounding)
  const what = `Row ${broken} of pixel_values gives values that are not finite`
  if (absurd === undefined) throw new SharedError('MODEL_OUTPUT', `${what}.`)
  const [given, least, most] = [absurd, low, high].map((value) => Number(value.toPrecision(3)))
  throw misfit(`${what}: it has the value ${given}, and pictures have ${least} to ${most}.`)
}
