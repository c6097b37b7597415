import { describe, expect, it } from 'vitest'
import { recipes } from '../../recipe/recipes/index.ts'
import { recipeSchema } from '../../recipe/checks.ts'
import { withinBudget } from './budget.ts'

const budget = { architecture: 'efficientnet_lite0', epochs: 6, size: 64, batch: 32, photos: 6552 }
const step = (number: number) => recipeSchema.parse(withinBudget(recipes[`step${number}`]!, budget))

describe('a step within a budget', () => {
  it.each([1, 2, 3, 4, 5])('is a recipe: step %i', (number) => {
    expect(step(number).model).toMatchObject({
      architecture: 'efficientnet_lite0',
      weights: 'efficientnet_lite0',
      layerScale: 0,
    })
    expect(step(number).preprocessing.mean[0]).toBeCloseTo(127 / 255, 12)
  })

  it('has epochs in proportion to its recipe, and at least one where that has any', () => {
    const epochs = [1, 2, 5].map((number) => Object.values(step(number).phases).map((phase) => phase.epochs))
    expect(epochs).toEqual([
      [0, 6, 0],
      [1, 6, 0],
      [1, 7, 2],
    ])
  })

  it('keeps the proportion between the sizes of the phases', () => {
    expect([step(5).phases.full.size, step(5).phases.fixres.size]).toEqual([64, 96])
  })

  it('scales what counts epochs with its phase', () => {
    // 5 + 95 epochs become 0.3 + 5.7; 15 epochs of patience become 0.9.
    const { full } = step(4).phases
    expect(full.learningRate.schedule).toMatchObject({ warmupEpochs: 0.3, cycleEpochs: 5.7 / 7 })
    expect(full.earlyStopping).toMatchObject({ patience: 2, minEpochs: 1 })
    expect(step(3).phases.full.mix.late).toMatchObject({ epochs: 1 })
    // Epochs 60 and 80 of 120, of 7.
    expect(step(5).phases.full.mix).toMatchObject({ cutmixOffEpoch: 4, mixupOffEpoch: 5 })
  })

  it('lets the moving average forget over the same share of the phase', () => {
    const share = (decay: number, steps: number) => 1 / (1 - decay) / steps
    const there = share(recipes['step2']!.phases.full.ema!.decay, 100 * Math.floor(24_789 / 16))
    expect(share(step(2).phases.full.ema!.decay, 6 * Math.floor(6552 / 32))).toBeCloseTo(there, 6)
  })

  it('raises the rates of all steps alike, by the square root of how much fewer the steps are', () => {
    const factor = Math.sqrt((24_789 / 16 / (6552 / 32)) * (100 / 6))
    for (const number of [1, 2, 3, 4, 5]) {
      const [there, here] = [recipes[`step${number}`]!.phases, step(number).phases]
      expect(here.full.learningRate.head / there.full.learningRate.head).toBeCloseTo(factor, 6)
    }
    const [there, here] = [recipes['step5']!.phases, step(5).phases]
    expect(here.fixres.learningRate.backbone / there.fixres.learningRate.backbone).toBeCloseTo(factor, 6)
    expect(here.head.learningRate.head / there.head.learningRate.head).toBeCloseTo(factor, 6)
  })

  it('raises the rate of the backbone no further than it bears', () => {
    expect([1, 2, 3].map((number) => step(number).phases.full.learningRate.backbone)).toEqual([
      3e-4,
      3e-4,
      expect.closeTo(1.5e-5 * Math.sqrt((24_789 / 16 / (6552 / 32)) * (100 / 6)), 12),
    ])
  })

  it('gives the contest entry back its own schedule on its own number of photos', () => {
    const recipe = recipes['step4']!
    const same = withinBudget(recipe, { ...budget, epochs: 100, size: 384, batch: 16, photos: 24_789 })
    expect(same.phases.full).toEqual({ ...recipe.phases.full, tta: null })
  })
})
