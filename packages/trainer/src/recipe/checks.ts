import type { View } from '@flowers/shared/image/view'
import { z } from 'zod'
import { storedRecipeSchema, type Phase, type Recipe } from './schema.ts'

/** Everything a run depends on besides the data; refuses settings that contradict each other. */
export const recipeSchema = storedRecipeSchema.superRefine((recipe, context) => {
  for (const { path, message } of contradictions(recipe)) context.addIssue({ code: 'custom', path: [...path], message })
})

/** The schema for tools that do not speak zod: editors, the page of all settings. @public */
export const recipeJsonSchema = () => z.toJSONSchema(recipeSchema, { io: 'input' })

/** Settings that are each what they may be, but not together. */
export interface Contradiction {
  /** Of the setting that is easiest to change. */
  readonly path: readonly (string | number)[]
  /** What is wrong, and what to do. */
  readonly message: string
}

/**
 * What a run could not do as the recipe says. Not what it merely never comes to: an off epoch or `minEpochs` after the
 * last epoch, a first cycle longer than the phase. A phase of 0 epochs is left out, whatever it says.
 */
function contradictions({ views, sweep, phases }: Pick<Recipe, 'views' | 'sweep' | 'phases'>): Contradiction[] {
  const below = (place: readonly string[], found: readonly Contradiction[]): Contradiction[] =>
    found.map(({ path, message }) => ({ path: [...place, ...path], message }))
  return [
    ...below(['views'], repeated(views.map(nameOfView))),
    ...below(['sweep', 'sizes'], repeated((sweep?.sizes ?? []).map((size) => `${size} px`))),
    ...Object.entries(phases).flatMap(([name, phase]) =>
      phase.epochs === 0
        ? []
        : below(
            ['phases', name],
            [...tooLong(phase), ...unmixed(phase), ...still(phase), ...idle(phase), ...aboutFeatures(phase)],
          ),
    ),
  ]
}

const nameOfView = ({ flip, scale }: View): string => `the view ${flip} at scale ${scale}`

function repeated(names: readonly string[]): Contradiction[] {
  return names.flatMap((name, place) =>
    names.indexOf(name) === place ? [] : [{ path: [place], message: `${name} is there twice: leave one out` }],
  )
}

function tooLong(phase: Phase): Contradiction[] {
  const {
    epochs,
    mix,
    learningRate: { schedule },
  } = phase
  const found: Contradiction[] = []
  const warmup = 'warmupEpochs' in schedule ? schedule.warmupEpochs : 0
  if (warmup > epochs)
    found.push({
      path: ['learningRate', 'schedule', 'warmupEpochs'],
      message: `a warm-up of ${warmup} epochs does not end where epochs is ${epochs}: set at most ${epochs}, or a share such as "10%"`,
    })
  if (mix.late && mix.late.epochs > epochs)
    found.push({
      path: ['mix', 'late', 'epochs'],
      message: `there are no ${mix.late.epochs} last epochs where epochs is ${epochs}: set at most ${epochs}, a share such as "20%", or mix.late to null`,
    })
  return found
}

/** Mixing takes both: photos that are mixed, and a weight to mix them by. */
function unmixed({ mix: { mixupAlpha, cutmixAlpha, probability } }: Phase): Contradiction[] {
  const path = ['mix', 'probability']
  if (probability > 0 && mixupAlpha + cutmixAlpha === 0)
    return [
      { path, message: 'nothing is mixed where mixupAlpha and cutmixAlpha are 0: set it to 0, or one of them above' },
    ]
  if (probability > 0 || mixupAlpha + cutmixAlpha === 0) return []
  const named = mixupAlpha > 0 ? `mixupAlpha ${mixupAlpha}` : `cutmixAlpha ${cutmixAlpha}`
  return [
    {
      path,
      message: `no photo is mixed where it is 0, so ${named} has no effect: set it above 0, or the alphas both to 0`,
    },
  ]
}

/** Where statistics of batch normalisations move, a phase of rate 0 does something. */
function still({ batchNorm, learningRate: { backbone, head } }: Phase): Contradiction[] {
  if (batchNorm !== 'frozen' || backbone + head > 0) return []
  const message = 'nothing learns where the rates of backbone and head are both 0: set one above 0, or epochs to 0'
  return [{ path: ['learningRate', 'head'], message }]
}

/** Rates that nothing learns at, and the reverse. */
function idle({ trainable, batchNorm, learningRate: { backbone } }: Phase): Contradiction[] {
  if (trainable === 'all') {
    if (batchNorm !== 'last') return []
    const message = 'last goes with trainable head: set it to trained or frozen, or trainable to head'
    return [{ path: ['batchNorm'], message }]
  }
  const path = ['learningRate', 'backbone']
  // Scale and shift of the last batch normalisation lie below the head, and learn at the backbone's rate.
  if (batchNorm === 'last') {
    if (backbone > 0) return []
    const message =
      'the last batch normalisation, which batchNorm last trains, learns at this rate: set it above 0, or batchNorm to frozen'
    return [{ path, message }]
  }
  if (backbone === 0) return []
  return [{ path, message: 'nothing below the head learns where trainable is head: set it to 0, or trainable to all' }]
}

/** Cached features are those of a backbone and of photos that do not change. */
function aboutFeatures({ features, featureViews, trainable, batchNorm, mix }: Phase): Contradiction[] {
  if (features === 'computed') {
    const message = 'only cached features are computed of views: set it to null, or features to cached'
    return featureViews === null ? [] : [{ path: ['featureViews'], message }]
  }
  const need = (setting: string): Contradiction => ({
    path: ['features'],
    message: `cached features need ${setting}`,
  })
  return [
    ...(trainable === 'head' ? [] : [need('trainable to be head')]),
    ...(batchNorm === 'frozen' ? [] : [need('batchNorm to be frozen')]),
    ...(mix.probability > 0 && mix.mixupAlpha + mix.cutmixAlpha > 0
      ? [need('mix.probability to be 0, and mixupAlpha and cutmixAlpha with it')]
      : []),
    ...repeated((featureViews ?? []).map(nameOfView)).map(({ path, message }) => ({
      path: ['featureViews', ...path],
      message,
    })),
  ]
}
