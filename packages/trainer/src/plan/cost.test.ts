import { oneView, sixViews } from '@flowers/shared/image/view'
import { expect, it } from 'vitest'
import { testRecipe } from '../testing/test-recipe.ts'
import type { Phase } from '../recipe/schema.ts'
import { recipeSeconds, runSeconds } from './cost.ts'

const speed = {
  size: 100,
  decodeSeconds: 1,
  trainSeconds: 100,
  forwardSeconds: 10,
  startSeconds: 10_000,
  saveSeconds: 1000,
  bytesPerPhoto: 1,
}
const photos = { train: 11, valid: 3 }

/** Seconds of a recipe of one phase, beyond the start of the run. */
function secondsOf(change: Partial<Phase>, counts = photos): number {
  const { phases, ...recipe } = testRecipe('quick')
  const none = { ...phases.head, epochs: 0 }
  const full = { ...phases.full, size: 100, batch: 4, epochs: 2, tta: null, ...change }
  const only = { ...recipe, phases: { head: none, full, fixres: none } }
  return recipeSeconds(only, speed, counts) - speed.startSeconds
}

// A start of 10,000 s, and 1,000 s an epoch for saving; whole batches of 4 are 8 of the 11 photos.
const overhead = 10_000 + 2 * 1000

it.each<[string, Partial<Phase>, number]>([
  ['a phase left out', { epochs: 0 }, 0],
  // The validation photos are decoded once, as they are held, and seen before the first epoch and after each.
  ['two epochs of all layers', {}, overhead + 2 * 8 * 101 + 3 * (1 + 3 * 10)],
  ['a frozen backbone', { trainable: 'head' }, overhead + 2 * 8 * 11 + 3 * (1 + 3 * 10)],
  ['twice the side', { size: 200 }, overhead + 2 * 8 * 401 + 3 * (1 + 3 * 40)],
  [
    'six views at two scales in the last epoch',
    { tta: { views: 'six', everyEpochs: 99, lastEpochs: 1 } },
    overhead + 2 * 8 * 101 + 3 * (2 + (3 + 6) * 10),
  ],
  [
    'cached features: each photo once in every view',
    { trainable: 'head', features: 'cached', featureViews: [...sixViews] },
    overhead + 11 * (2 + 6 * 10) + 3 * (1 + 10),
  ],
  [
    'cached features of one view',
    { trainable: 'head', features: 'cached', featureViews: [...oneView] },
    overhead + 11 * 11 + 3 * 11,
  ],
])('counts %s', (_, change, expected) => {
  expect(secondsOf(change)).toBeCloseTo(expected, 6)
})

it('decodes validation photos anew each time where they are too many to be held', () => {
  const valid = 10_000
  expect(secondsOf({}, { train: 11, valid })).toBeCloseTo(overhead + 2 * 8 * 101 + valid * (3 + 3 * 10), 6)
})

it('counts cached epochs as good as nothing', () => {
  const cached = { trainable: 'head', features: 'cached' } as const
  expect(secondsOf({ ...cached, epochs: 12 }) - secondsOf({ ...cached, epochs: 2 })).toBeCloseTo(10 * 1000, 6)
})

it('counts each fold without its photos, and asks about them by every view', () => {
  const recipe = { phases: testRecipe('demo').phases, views: [...sixViews] }
  const counts = { train: 100, valid: 10 }
  const fold = recipeSeconds(recipe, speed, { train: 80, valid: 10 })
  const whole = recipeSeconds(recipe, speed, counts)
  expect(runSeconds(recipe, speed, counts, 0)).toBe(whole)
  const asked = runSeconds(recipe, speed, counts, 5) - whole - 5 * fold
  const { size } = recipe.phases.fixres.epochs > 0 ? recipe.phases.fixres : recipe.phases.full
  const views = 100 * (2 * speed.decodeSeconds + 6 * speed.forwardSeconds * (size / speed.size) ** 2)
  expect(asked - views).toBeGreaterThan(0)
  expect(asked - views).toBeLessThan(5 * 60)
})
