import type { PhaseInput, Recipe, RecipeInput } from '../recipe/schema.ts'
import { noMix } from '../recipe/defaults.ts'
import { recipeSeconds, type Speed } from './cost.ts'

/** What is known of the photos before anything is measured. */
export interface PhotoFacts {
  /** Training photos, by class. */
  readonly counts: readonly number[]
  /** Validation photos that choose. */
  readonly valid: number
  /** Median of the photos' shorter sides, pixels. */
  readonly shortSide: number
}

/** What a plan is made for. */
interface PlanOptions {
  readonly minutes: number
  readonly facts: PhotoFacts
  readonly speed: Speed
  /** Bytes. */
  readonly memory: number
  /** A plan with what a person has set; undefined: that contradicts it. */
  readonly settle: (recipe: RecipeInput) => Recipe | undefined
}

/** What a plan has come to. */
export interface QuickPlan {
  readonly recipe: Recipe
  readonly seconds: number
  /** What the shortest run takes on this machine: less than that the plan cannot be. */
  readonly leastSeconds: number
}

const toMultiple = (pixels: number): number => 32 * Math.max(1, Math.round(pixels / 32))

/**
 * Sides of the input, pixels. Photos of 224 px and more are reduced to that; smaller ones are enlarged, at most twofold,
 * which gives the network finer steps over the little there is. FixRes is about 1.3 times as large (Touvron et al. 2019,
 * arXiv:1906.06423). All are multiples of 32, by which the network reduces.
 */
export function sizesFor(shortSide: number): { size: number; fixres: number } {
  const size = Math.min(224, Math.max(96, toMultiple(2 * shortSide)))
  return { size, fixres: toMultiple(1.33 * size) }
}

const largestBatch = 32
const smallestBatch = 4
/** An epoch has at least so many steps, if the photos allow it. */
const fewestSteps = 8

/** Photos a step: as many as leave an epoch some steps. */
export function batchFor(photos: number): number {
  let batch = largestBatch
  while (batch > smallestBatch && photos < fewestSteps * batch) batch /= 2
  return Math.max(1, Math.min(batch, photos))
}

/** The recipe as far as the photos alone decide it, for the speed to be measured with. */
export function fitToPhotos(recipe: RecipeInput, { counts, shortSide }: PhotoFacts): RecipeInput {
  const photos = sum(counts)
  const { size, fixres } = sizesFor(shortSide)
  const batch = batchFor(photos)
  const fit = (phase: PhaseInput, side: number): PhaseInput => ({
    ...phase,
    size: side,
    batch,
    samplerPower: Math.max(...counts) >= unbalanced * Math.min(...counts) ? 0.5 : 1,
  })
  const { head, full } = recipe.phases
  return {
    ...recipe,
    phases: {
      head: fit(head, size),
      // With few classes a share spread over the others weighs more on each.
      full: { ...fit(full, size), labelSmoothing: counts.length < 10 ? 0.05 : 0.1 },
      fixres: fit(recipe.phases.fixres, fixres),
    },
  }
}

/** A largest class so many times the smallest is sampled by the square root of its frequency. */
const unbalanced = 5
/** Steps after which a new head stands. */
const headSteps = 60
const most = { head: 5, full: 60, fixres: 5 }
/** Of the phase `full`, in the longest plan there is. */
export const longestEpochs = most.full
const least = { head: 1, full: 3, fixres: 1 }
/** FixRes has one epoch for so many of the phase before. */
const fullPerFixres = 6
/** Under so many epochs MixUp only slows learning down. */
const fewestToMix = 10
/** Of the memory there is; the rest is for photos and surprises. */
const memoryShare = 0.5

/**
 * Epochs for the minutes there are, given a recipe that fits the photos and its measured speed. Of what fits the minutes
 * the longest run is taken; the shortest is head 1, full 3, FixRes 1 epochs, or the shortest that settles, and the plan
 * says what that takes. Undefined where none settles.
 */
export function planQuick(
  fitted: RecipeInput,
  { minutes, facts, speed, memory, settle }: PlanOptions,
): QuickPlan | undefined {
  const photos = { train: sum(facts.counts), valid: facts.valid }
  const recipe = withinMemory(fitted, speed, memory)
  const candidates = lengthsOf(recipe, photos.train)
    .map(settle)
    .filter((candidate) => candidate !== undefined)
    .map((candidate) => ({ recipe: candidate, seconds: recipeSeconds(candidate, speed, photos) }))
  const [shortest] = candidates
  if (shortest === undefined) return undefined
  const chosen = candidates.findLast(({ seconds }) => seconds <= 60 * minutes) ?? shortest
  return { ...chosen, leastSeconds: shortest.seconds }
}

/** The recipe with every number of epochs that a plan may have, shortest first. */
function lengthsOf(recipe: RecipeInput, photos: number): RecipeInput[] {
  const stepsPerEpoch = Math.max(1, Math.floor(photos / recipe.phases.full.batch))
  const head = Math.min(most.head, Math.max(least.head, Math.ceil(headSteps / stepsPerEpoch)))
  const fixresFor = (full: number): number =>
    Math.min(most.fixres, Math.max(least.fixres, Math.round(full / fullPerFixres)))
  return [
    withEpochs(recipe, least, stepsPerEpoch),
    ...Array.from({ length: most.full - least.full + 1 }, (_, more) => {
      const full = least.full + more
      return withEpochs(recipe, { head, full, fixres: fixresFor(full) }, stepsPerEpoch)
    }),
  ]
}

/** The longest plan there is for a recipe that fits the photos: what contradicts it contradicts every plan. */
export const longestPlan = (fitted: RecipeInput, { counts }: PhotoFacts): RecipeInput =>
  lengthsOf(fitted, sum(counts)).at(-1)!

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** The batch of a recipe, halved as often as it takes for its step to fit the memory in every phase. */
export function batchInMemory(
  { phases }: { readonly phases: Readonly<Record<'full' | 'fixres', Pick<PhaseInput, 'size' | 'batch'>>> },
  { bytesPerPhoto, size }: Pick<Speed, 'bytesPerPhoto' | 'size'>,
  memory: number,
): number {
  const perPhoto = bytesPerPhoto * (Math.max(phases.full.size, phases.fixres.size) / size) ** 2
  let { batch } = phases.full
  while (batch > 1 && batch * perPhoto > memoryShare * memory) batch = Math.floor(batch / 2)
  return batch
}

/** The batch that fits the memory, and the rates for it. */
function withinMemory(recipe: RecipeInput, speed: Speed, memory: number): RecipeInput {
  const batch = batchInMemory(recipe, speed, memory)
  // Gradients of smaller batches are noisier.
  const rate = Math.sqrt(batch / largestBatch)
  const fit = (phase: PhaseInput): PhaseInput => ({
    ...phase,
    batch,
    learningRate: {
      ...phase.learningRate,
      backbone: phase.learningRate.backbone * rate,
      head: phase.learningRate.head * rate,
    },
  })
  const { head, full, fixres } = recipe.phases
  return { ...recipe, phases: { head: fit(head), full: fit(full), fixres: fit(fixres) } }
}

/** The recipe with so many epochs, and what depends on their number. */
function withEpochs(
  recipe: RecipeInput,
  { head, full, fixres }: { head: number; full: number; fixres: number },
  stepsPerEpoch: number,
): RecipeInput {
  // Over the last tenth of the phase, within what is usual.
  const average = (epochs: number) => ({
    decay: Math.min(0.999, Math.max(0.9, 1 - 10 / (epochs * stepsPerEpoch))),
    power: 0.75,
  })
  const { phases } = recipe
  return {
    ...recipe,
    phases: {
      head: { ...phases.head, epochs: head },
      full: {
        ...phases.full,
        epochs: full,
        ema: average(full),
        mix: full < fewestToMix ? noMix : { ...noMix, mixupAlpha: 0.2, probability: 0.5 },
      },
      fixres: { ...phases.fixres, epochs: fixres, ema: average(fixres) },
    },
  }
}
