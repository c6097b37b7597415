import { describe, expect, it } from 'vitest'
import { recipes } from './recipes/index.ts'
import { resolveRecipe } from './resolve-recipe.ts'

const resolve = async (name: string, ...settings: string[]) => {
  const lines: string[] = []
  const recipe = await resolveRecipe(name, settings, (line) => lines.push(line))
  return { recipe, lines }
}

describe('a phase that is given fewer epochs', () => {
  it('keeps the share of its warm-up and of its late epochs, where they would not fit', async () => {
    const { recipe, lines } = await resolve('step4', 'phases.full.epochs=3')
    const { full, ...others } = recipe.phases
    // 5 and 10 of 100.
    expect(full.learningRate.schedule).toMatchObject({ kind: 'restarts', warmupEpochs: 0.15 })
    expect(full.mix.late).toEqual({ ...recipes['step4']!.phases.full.mix.late, epochs: 1 })
    expect(lines).toEqual([
      'step4: phases.full.epochs is 3 instead of 100, so learningRate.schedule.warmupEpochs is 0.15 instead of 5 and mix.late.epochs 1 instead of 10',
    ])
    const { full: before, ...othersBefore } = recipes['step4']!.phases
    expect(others).toEqual(othersBefore)
    // What it never comes to stays.
    expect(full.mix).toMatchObject({
      mixupOffEpoch: before.mix.mixupOffEpoch,
      cutmixOffEpoch: before.mix.cutmixOffEpoch,
    })
    expect(full.earlyStopping).toEqual(before.earlyStopping)
  })

  it('keeps what fits as it is', async () => {
    const { recipe, lines } = await resolve('step4', 'phases.full.epochs=10')
    const { learningRate, mix } = recipes['step4']!.phases.full
    expect(recipe.phases.full).toMatchObject({ epochs: 10, learningRate, mix })
    expect(lines).toEqual([])
  })

  it('has one late epoch at least', async () => {
    const { recipe, lines } = await resolve('flowers102', 'phases.full.epochs=2')
    expect(recipe.phases.full.mix.late).toMatchObject({ epochs: 1 })
    expect(recipe.phases.full.learningRate).toEqual(recipes['flowers102']!.phases.full.learningRate)
    expect(lines).toEqual(['flowers102: phases.full.epochs is 2 instead of 18, so mix.late.epochs is 1 instead of 4'])
  })

  it.each(Object.keys(recipes))('makes a recipe of %s with one epoch a phase', async (name) => {
    const one = ['head', 'full', 'fixres'].map((phase) => `phases.${phase}.epochs=1`)
    const { recipe } = await resolve(name, ...one)
    expect(Object.values(recipe.phases).map(({ epochs }) => epochs)).toEqual([1, 1, 1])
  })

  it('is left out with 0', async () => {
    const { recipe, lines } = await resolve('step4', 'phases.full.epochs=0')
    expect(recipe.phases.full).toEqual({ ...recipes['step4']!.phases.full, epochs: 0 })
    expect(lines).toEqual([])
  })
})

describe('what a person sets is not changed but refused', () => {
  it.each([
    [['phases.full.epochs=3', 'phases.full.learningRate.schedule.warmupEpochs=5'], 'warmupEpochs'],
    [['phases.full.mix.late.epochs=10', 'phases.full.epochs=3'], 'mix.late.epochs'],
    [['phases.full.epochs=3', 'phases.full.mix.late={"epochs":10,"mixup":0,"cutmix":0}'], 'mix.late.epochs'],
    [['phases.full.mix.late.epochs=200'], 'mix.late.epochs'],
  ])('%j', async (settings, mention) => {
    await expect(resolve('step4', ...settings)).rejects.toMatchObject({
      code: 'RECIPE_INVALID',
      message: expect.stringContaining(
        `phases.full.${mention.startsWith('warm') ? 'learningRate.schedule.' : ''}${mention}`,
      ) as string,
    })
  })
})
