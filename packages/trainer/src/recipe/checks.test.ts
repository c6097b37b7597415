import { oneView } from '@flowers/shared/image/view'
import { describe, expect, it } from 'vitest'
import { quick } from './recipes/quick.ts'
import { fitToPhotos, planQuick } from '../plan/plan-quick.ts'
import { withinBudget } from '../plan/ladder/budget.ts'
import { steps } from '../plan/ladder/steps.ts'
import { testRecipe } from '../testing/test-recipe.ts'
import { storedRecipeSchema, type Phase, type Recipe, type RecipeInput } from './schema.ts'
import { noMix } from './defaults.ts'
import { telephonePhotos as facts, testSpeed as speed } from '../testing/test-speed.ts'
import { recipeSchema } from './checks.ts'

/** What is refused, as `path: message`. */
function refusals(recipe: RecipeInput): string[] {
  const { error } = recipeSchema.safeParse(recipe)
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const report = testRecipe('report')
/** The recipe `report` with its phase `full` changed. */
const withFull = (change: Partial<Phase>): Recipe => {
  const { phases, ...rest } = report
  return { ...rest, phases: { ...phases, full: { ...phases.full, ...change } } }
}
const { mix, learningRate, augment, earlyStopping } = report.phases.full
const warmingUp = (warmupEpochs: number): Partial<Phase>[] =>
  (
    [
      { kind: 'cosine', warmupEpochs, minimum: 0 },
      { kind: 'restarts', warmupEpochs, cycleEpochs: 10, growth: 1, minimum: 0 },
      { kind: 'plateau', warmupEpochs, factor: 0.5, patience: 1, threshold: 0, minimum: 0 },
    ] as const
  ).map((schedule) => ({ learningRate: { ...learningRate, schedule } }))
const frozen = { trainable: 'head', batchNorm: 'frozen', mix: noMix } as const
const rates = (backbone: number) => ({ learningRate: { ...learningRate, backbone } })
const late = (epochs: number): Partial<Phase> => ({ mix: { ...mix, late: { epochs, mixup: 0, cutmix: 0 } } })

const contradictory: readonly (readonly [string, Partial<Phase>, readonly string[]])[] = [
  ['more late epochs than epochs', late(121), ['mix.late.epochs', '120', 'null']],
  ...warmingUp(120.5).map(
    (phase) =>
      [
        `a warm-up that never ends, ${phase.learningRate!.schedule.kind}`,
        phase,
        ['learningRate.schedule.warmupEpochs', '120.5', 'at most 120'],
      ] as const,
  ),
  ['a rate of a frozen backbone', { ...frozen, ...rates(1e-4) }, ['learningRate.backbone', 'set it to 0', 'all']],
  [
    'a rate of a frozen backbone whose statistics alone move',
    { ...frozen, ...rates(1e-4), batchNorm: 'trained' },
    ['learningRate.backbone', 'set it to 0'],
  ],
  [
    'a last batch normalisation that learns at rate 0',
    { ...frozen, ...rates(0), batchNorm: 'last' },
    ['learningRate.backbone', 'above 0', 'frozen'],
  ],
  ['the last batch normalisation alone in a phase that trains all', { batchNorm: 'last' }, ['batchNorm', 'trained']],
  ['views of features that are not cached', { featureViews: [...oneView] }, ['featureViews', 'null', 'cached']],
  [
    'a view twice among those of the features',
    { ...frozen, ...rates(0), features: 'cached', featureViews: [...oneView, ...oneView] },
    ['featureViews.1', 'twice'],
  ],
  [
    'a weight of MixUp where no photo is mixed',
    { mix: { ...noMix, mixupAlpha: 0.2 } },
    ['mix.probability', 'mixupAlpha', 'above 0', 'both to 0'],
  ],
  [
    'a weight of CutMix where no photo is mixed',
    { mix: { ...noMix, cutmixAlpha: 0.2 } },
    ['mix.probability', 'cutmixAlpha', 'above 0', 'both to 0'],
  ],
  [
    'photos that are mixed with no weight',
    { mix: { ...noMix, probability: 0.5 } },
    ['mix.probability', 'mixupAlpha', 'cutmixAlpha', 'set it to 0'],
  ],
  ['rates that are both 0', { learningRate: { ...learningRate, backbone: 0, head: 0 } }, ['learningRate.head', '0']],
  [
    'a head alone that learns at rate 0',
    { ...frozen, learningRate: { ...learningRate, backbone: 0, head: 0 } },
    ['learningRate.head', '0'],
  ],
  ['cached features of a backbone that is trained', { features: 'cached' }, ['features', 'trainable to be head']],
]

describe('a phase is refused that has', () => {
  it.each(contradictory)('%s', (_, change, mentions) => {
    const found = refusals(withFull(change)).find((line) => line.startsWith(`phases.full.${mentions[0]}: `))
    for (const mention of mentions) expect(found).toContain(mention)
  })
  it.each(contradictory)('%s, unless it is left out', (_, change) => {
    expect(refusals(withFull({ ...change, epochs: 0 }))).toEqual([])
  })
  it.each([
    ['erasing of more than the photo', { augment: { ...augment, erasing: { probability: 1, area: [0.5, 1.1] } } }],
    [
      'crops larger than the photo',
      { augment: { ...augment, crop: { kind: 'randomResizedCrop', scale: [0.5, 1.2], ratio: [1, 1] } } },
    ],
  ] as const)('%s', (_, change) => {
    const [found, ...others] = refusals(withFull(change as unknown as Partial<Phase>))
    expect(found).toContain('<=1')
    expect(others).toEqual([])
  })
})

it('a cycle of the learning rate that is shorter than any step is refused', () => {
  const schedule = { kind: 'restarts', warmupEpochs: 0, growth: 1, minimum: 0 } as const
  const withCycle = (cycleEpochs: number) =>
    refusals(withFull({ learningRate: { ...learningRate, schedule: { ...schedule, cycleEpochs } } }))
  expect(withCycle(1e-9)).toEqual([
    expect.stringMatching(/^phases\.full\.learningRate\.schedule\.cycleEpochs: .*0\.01/),
  ])
  expect(withCycle(0.01)).toEqual([])
})

describe('a recipe is refused that has', () => {
  it.each([
    ['a view twice', { views: [...oneView, { flip: 'horizontal', scale: 1 }, ...oneView] }, 'views.2', 'twice'],
    ['a size twice in its sweep', { sweep: { sizes: [320, 384, 320], views: 'one' } }, 'sweep.sizes.2', '320'],
  ] as const)('%s', (_, change, path, mention) => {
    const [found, ...others] = refusals({ ...report, ...(change as unknown as Partial<Recipe>) })
    expect(found).toMatch(new RegExp(`^${path}: .*${mention}`))
    expect(others).toEqual([])
  })
})

describe('what is never reached is not refused', () => {
  it.each([
    ['off epochs after the last', { mix: { ...mix, mixupOffEpoch: 500, cutmixOffEpoch: 400 } }],
    ['early stopping after the last epoch', { earlyStopping: { ...earlyStopping!, minEpochs: 500 } }],
    ['late epochs that are all', late(120)],
    ...warmingUp(120).map((phase) => [
      `a warm-up through the whole phase, ${phase.learningRate!.schedule.kind}`,
      phase,
    ]),
    [
      'a first cycle longer than the phase',
      {
        learningRate: {
          ...learningRate,
          schedule: { kind: 'restarts', warmupEpochs: 0, cycleEpochs: 500, growth: 1, minimum: 0 },
        },
      },
    ],
    [
      'rates of 0 where the statistics of batch normalisations move',
      { batchNorm: 'trained', learningRate: { ...learningRate, backbone: 0, head: 0 } },
    ],
    ['a head that stays while the backbone learns', { learningRate: { ...learningRate, head: 0 } }],
    ['a last batch normalisation that learns', { ...frozen, ...rates(1e-4), batchNorm: 'last' }],
  ] as [string, Partial<Phase>][])('%s', (_, change) => {
    expect(refusals(withFull(change))).toEqual([])
  })
})

describe('what the trainer plans itself holds together', () => {
  it('the ladder with any number of epochs', () => {
    for (let epochs = 1; epochs <= 130; epochs++) {
      for (const { recipe } of steps) {
        const budget = { architecture: 'efficientnet_lite0', epochs, size: 64, batch: 32, photos: 6552 }
        expect(refusals(withinBudget(recipe, budget)), `${recipe.name}, ${epochs} epochs`).toEqual([])
      }
    }
  })

  it('quick with any number of minutes', () => {
    const settle = (recipe: RecipeInput): Recipe => storedRecipeSchema.parse(recipe)
    const fitted = fitToPhotos(quick, facts)
    for (const minutes of [0.1, 1, 2, 3, 5, 10, 20, 60, 600]) {
      const { recipe } = planQuick(fitted, { minutes, facts, speed, memory: 2 ** 34, settle })!
      expect(refusals(recipe), `${minutes} minutes`).toEqual([])
    }
  })
})
