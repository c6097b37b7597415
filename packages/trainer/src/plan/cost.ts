import { oneView, scalesOf, type View } from '@flowers/shared/image/view'
import { phaseNames, type Phase, type Recipe } from '../recipe/schema.ts'
import { ttaDue } from '../train/loop.ts'
import { heldBytes, ttaViews } from '../train/validate.ts'

/** How fast a recipe's network trains on this machine. */
export interface Speed {
  /** Side of the input that it was measured at, pixels. */
  readonly size: number
  /** Seconds until a photo is read and cut; beside a running step they add to it, as both take what cores there are. */
  readonly decodeSeconds: number
  /** Seconds of the network for a photo of a step with everything trained. */
  readonly trainSeconds: number
  /** Seconds of the network for a photo without a backward pass. */
  readonly forwardSeconds: number
  /** Seconds that pass in each phase before its first step. */
  readonly startSeconds: number
  /** Seconds after each epoch in which weights and state are saved. */
  readonly saveSeconds: number
  /** Most that a step holds in memory for a photo of its batch. */
  readonly bytesPerPhoto: number
}

/** How many photos a plan is for. */
export interface PhotoCounts {
  readonly train: number
  /** Those that choose. */
  readonly valid: number
}

/** How often photos are seen in some views. */
interface Passes {
  readonly views: readonly View[]
  readonly times: number
}

/** The validation of a phase: what it starts with, every epoch, and those with test-time augmentation. */
function validationOf(phase: Phase): Passes[] {
  const { tta, epochs } = phase
  const plain = { views: oneView, times: epochs + 1 }
  if (tta === null) return [plain]
  const times = Array.from({ length: epochs }, (_, epoch) => epoch).filter((epoch) => ttaDue(phase, epoch)).length
  return [plain, { views: ttaViews[tta.views], times }]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Seconds of photos that are decoded once for each scale and go through the network once for each view. */
const seenOnce = (
  count: number,
  views: readonly View[],
  { decodeSeconds, forwardSeconds }: Pick<Speed, 'decodeSeconds' | 'forwardSeconds'>,
): number => count * (scalesOf(views).length * decodeSeconds + views.length * forwardSeconds)

/** Seconds that a phase takes, validation included: the cost of a photo in the network grows with its pixels. */
function phaseSeconds(phase: Phase, recipe: Pick<Recipe, 'views'>, speed: Speed, photos: PhotoCounts): number {
  const { epochs, size, batch, trainable, features, featureViews, tta } = phase
  if (epochs === 0) return 0
  const growth = (size / speed.size) ** 2
  const forward = growth * speed.forwardSeconds
  const at = { ...speed, forwardSeconds: forward }
  const overhead = speed.startSeconds + epochs * speed.saveSeconds
  // Steps of a head on features take next to nothing.
  if (features === 'cached')
    return (
      overhead +
      seenOnce(photos.train, featureViews ?? recipe.views, at) +
      seenOnce(photos.valid, tta === null ? oneView : ttaViews[tta.views], at)
    )
  const passes = validationOf(phase)
  const scales = new Set(passes.flatMap(({ views }) => scalesOf(views))).size
  const isHeld = photos.valid * size ** 2 * 3 * scales <= heldBytes
  const decoded = isHeld ? scales : sum(passes.map(({ views, times }) => times * scalesOf(views).length))
  const validated = sum(passes.map(({ views, times }) => times * views.length))
  const trained = epochs * batch * Math.floor(photos.train / batch)
  return (
    overhead +
    trained * (speed.decodeSeconds + (trainable === 'all' ? growth * speed.trainSeconds : forward)) +
    photos.valid * (decoded * speed.decodeSeconds + validated * forward)
  )
}

/** Seconds that a run takes to the end of its training: its start, in which the memory is looked at, and its phases. */
export function recipeSeconds(recipe: Pick<Recipe, 'phases' | 'views'>, speed: Speed, photos: PhotoCounts): number {
  return speed.startSeconds + sum(phaseNames.map((name) => phaseSeconds(recipe.phases[name], recipe, speed, photos)))
}

/** Seconds until a trained network is an ONNX file that can be asked. */
const secondsToConvert = 20

/**
 * Seconds of a run with so many folds before it: each learns from the photos of the others, and its network is asked about
 * its own photos with every view.
 */
export function runSeconds(
  recipe: Pick<Recipe, 'phases' | 'views'>,
  speed: Speed,
  photos: PhotoCounts,
  folds: number,
): number {
  const whole = recipeSeconds(recipe, speed, photos)
  if (folds === 0) return whole
  const fold = recipeSeconds(recipe, speed, { ...photos, train: photos.train * (1 - 1 / folds) })
  const last = phaseNames.findLast((name) => recipe.phases[name].epochs > 0) ?? 'full'
  const forwardSeconds = speed.forwardSeconds * (recipe.phases[last].size / speed.size) ** 2
  return whole + folds * (fold + secondsToConvert) + seenOnce(photos.train, recipe.views, { ...speed, forwardSeconds })
}
