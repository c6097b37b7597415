import { Random } from '@flowers/shared/random'

/** Calibration is fitted on so many photos or more: with fewer a temperature is mostly noise, and sets promise little. */
export const fewestToFit = 100

/** Of fewer validation photos half would choose by chance and calibrate by chance: all of them choose, and none calibrates. */
export const fewestToSplit = 2 * fewestToFit

/** Which validation photos choose epoch, checkpoint and size; `none`: photos that the model's training had no part in. */
export type Choosing = 'half' | 'all' | 'none'

export interface Halves<T> {
  /** Those that calibration is fitted on. */
  readonly fit: T[]
  /** The others, which measure it. */
  readonly held: T[]
}

/** Validation photos in two halves, drawn by the seed. */
export function splitValidation<T>(photos: readonly T[], seed: number): Halves<T> {
  const shuffled = new Random(seed, 'calibration').shuffle([...photos])
  const half = Math.floor(shuffled.length / 2)
  return { fit: shuffled.slice(0, half), held: shuffled.slice(half) }
}

/**
 * The validation photos that choose epoch, checkpoint and size: with `half`, those that calibration is not fitted on, as
 * what is fitted on photos that chose is too sure of itself. All of them where they are fewer than 200.
 */
export function choosingPhotos<T>(photos: readonly T[], selection: 'half' | 'all', seed: number): readonly T[] {
  return selection === 'all' || photos.length < fewestToSplit ? photos : splitValidation(photos, seed).held
}

/**
 * The photos that chose nothing, which calibration may be fitted on, and those that measure it; null where every photo
 * chose, or where they are fewer than 200. Whatever is fitted on validation photos is fitted on `fit`, and nothing else.
 */
export function calibrationHalves<T>(photos: readonly T[], choosing: Choosing, seed: number): Halves<T> | null {
  return choosing === 'all' || photos.length < fewestToSplit ? null : splitValidation(photos, seed)
}
