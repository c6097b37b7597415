import { describe, expect, it } from 'vitest'
import { quick } from '../recipe/recipes/quick.ts'
import { recipeSchema } from '../recipe/checks.ts'
import { storedRecipeSchema, type Recipe, type RecipeInput } from '../recipe/schema.ts'
import { telephonePhotos as facts, testSpeed as speed } from '../testing/test-speed.ts'
import { recipeSeconds } from './cost.ts'
import { batchFor, fitToPhotos, planQuick, sizesFor } from './plan-quick.ts'

const GiB = 2 ** 30
const settled = (recipe: RecipeInput): Recipe => storedRecipeSchema.parse(recipe)
const plan = (
  minutes: number,
  change: { memory?: number; settle?: (recipe: RecipeInput) => Recipe | undefined } = {},
) => planQuick(fitToPhotos(quick, facts), { minutes, facts, speed, memory: 16 * GiB, settle: settled, ...change })!

it.each([
  [1500, 224, 288],
  [224, 224, 288],
  [150, 224, 288],
  [64, 128, 160],
  [32, 96, 128],
])('trains photos of %i px at %i, then at %i px', (shortSide, size, fixres) => {
  expect(sizesFor(shortSide)).toEqual({ size, fixres })
})

it.each([
  [2000, 32],
  [256, 32],
  [255, 16],
  [100, 8],
  [20, 4],
  [3, 3],
])('takes %i photos in batches of %i', (photos, batch) => {
  expect(batchFor(photos)).toBe(batch)
})

it('smooths less for few classes, and samples unbalanced ones by the square root', () => {
  const few = fitToPhotos(quick, { ...facts, counts: [100, 20, 40] }).phases
  expect([few.full.labelSmoothing, few.full.samplerPower]).toEqual([0.05, 0.5])
  const many = fitToPhotos(quick, facts).phases
  expect([many.full.labelSmoothing, many.full.samplerPower]).toEqual([0.1, 1])
})

describe('a plan', () => {
  it.each([5, 20, 60])('is a recipe that fits %i minutes and uses most of them', (minutes) => {
    const { recipe, seconds } = plan(minutes)
    expect(recipeSchema.parse(recipe)).toEqual(recipe)
    expect(seconds).toBeCloseTo(recipeSeconds(recipe, speed, { train: 300, valid: 60 }), 9)
    expect(seconds).toBeLessThanOrEqual(60 * minutes)
    expect(seconds).toBeGreaterThan(0.85 * 60 * Math.min(minutes, 15))
  })

  it('has more epochs for more minutes, and a last phase in proportion', () => {
    const epochs = [5, 10, 20].map((minutes) => plan(minutes).recipe.phases.full.epochs)
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b))
    expect(new Set(epochs).size).toBe(3)
    const { full, fixres } = plan(20).recipe.phases
    expect(fixres.epochs).toBe(Math.min(5, Math.round(full.epochs / 6)))
  })

  it('is never shorter than one, three and one epochs, and says what that takes', () => {
    const { recipe, seconds, leastSeconds } = plan(0.1)
    expect(Object.values(recipe.phases).map((phase) => phase.epochs)).toEqual([1, 3, 1])
    expect(seconds).toBe(leastSeconds)
    expect(plan(20).leastSeconds).toBe(leastSeconds)
  })

  it('is the shortest that holds together where the minutes are fewer', () => {
    const settle = (recipe: RecipeInput) => (recipe.phases.full.epochs >= 7 ? settled(recipe) : undefined)
    const { recipe, seconds, leastSeconds } = plan(0.1, { settle })
    expect(recipe.phases.full.epochs).toBe(7)
    expect(seconds).toBe(leastSeconds)
    expect(plan(0.1, { settle: () => undefined })).toBeUndefined()
  })

  it('counts what a person has set in place of what was planned', () => {
    const settle = (recipe: RecipeInput): Recipe => {
      const { phases, ...rest } = settled(recipe)
      return { ...rest, phases: { ...phases, full: { ...phases.full, epochs: 2 } } }
    }
    const { recipe, seconds } = plan(20, { settle })
    expect(recipe.phases.full.epochs).toBe(2)
    expect(seconds).toBeCloseTo(recipeSeconds(recipe, speed, { train: 300, valid: 60 }), 9)
  })

  it('takes smaller batches, with smaller rates, where memory is short', () => {
    const { full } = plan(20, { memory: 4 * GiB }).recipe.phases
    // 100 MiB a photo at 224 px is 165 at 288: half of 4 GiB holds 12.
    expect(full.batch).toBe(8)
    expect(full.learningRate.head).toBeCloseTo(2e-3 / 2, 12)
    expect(plan(20).recipe.phases.full.learningRate.head).toBeCloseTo(2e-3, 12)
  })

  it('lets the moving average reach over a tenth of the phase', () => {
    const { full } = plan(20).recipe.phases
    const steps = full.epochs * Math.floor(300 / full.batch)
    expect(1 / (1 - full.ema!.decay)).toBeCloseTo(Math.max(10, steps / 10), 6)
  })
})
