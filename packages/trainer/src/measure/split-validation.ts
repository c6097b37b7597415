import { Random } from '@flowers/shared/random'

/** Of fewer validation photos half would choose by chance and calibrate by chance: all of them do both. */
const fewestToSplit = 200

/** Validation photos in two halves, drawn by the seed: those that calibration is fitted on, and the others. */
export function splitValidation<T>(photos: readonly T[], seed: number): { fit: T[]; held: T[] } {
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
