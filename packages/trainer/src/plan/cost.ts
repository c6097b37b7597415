import { phaseNames, type PhaseInput, type RecipeInput } from '../recipe/schema.ts'

/** How fast a recipe's network trains on this machine, with its photos decoded beside it. */
export interface Speed {
  /** Photos a second with everything trained. */
  readonly photosPerSecond: number
  /** At this side of the input, pixels. */
  readonly size: number
  /** Seconds that pass in each phase before its first step. */
  readonly startSeconds: number
  /** Most that a step holds in memory for a photo of its batch. */
  readonly bytesPerPhoto: number
}

/** What a photo costs without a backward pass, as a share of training on it: less than half, as there is less to store. */
const forwardShare = 0.4

/** Seconds that a phase takes, validation included: the cost of a photo grows with its pixels. */
function phaseSeconds(
  { epochs, size, trainable }: Pick<PhaseInput, 'epochs' | 'size' | 'trainable'>,
  speed: Speed,
  photos: { readonly train: number; readonly valid: number },
): number {
  if (epochs === 0) return 0
  const photo = (size / speed.size) ** 2 / speed.photosPerSecond
  const trained = photos.train * (trainable === 'all' ? 1 : forwardShare)
  // What a phase starts with is validated as well.
  return speed.startSeconds + photo * (epochs * trained + (epochs + 1) * photos.valid * forwardShare)
}

/** Seconds that a run takes. */
export function recipeSeconds(
  { phases }: Pick<RecipeInput, 'phases'>,
  speed: Speed,
  photos: { readonly train: number; readonly valid: number },
): number {
  return phaseNames.reduce((sum, name) => sum + phaseSeconds(phases[name], speed, photos), 0)
}
