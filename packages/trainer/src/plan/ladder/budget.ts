import { findPretrained } from '../../model/weights/pretrained.ts'
import { findArchitecture } from '../../model/registry.ts'
import type { PhaseInput, PhaseName, RecipeInput } from '../../recipe/schema.ts'

/** What a run of the ladder may take, and on how many photos. */
export interface Budget {
  readonly architecture: string
  /** Epochs of step 1; the other steps have more in proportion to their recipes. */
  readonly epochs: number
  /** Side of the training input of `head` and `full`, pixels; `fixres` is larger in the recipe's proportion. */
  readonly size: number
  readonly batch: number
  /** Training photos. */
  readonly photos: number
}

/** Training photos of the contest entry, whose schedules are scaled. */
const reportPhotos = 24_789
/** Epochs of step 1, which a budget counts in. */
const firstStepEpochs = 100
/**
 * The highest rate of a pretrained backbone. At 1e-3 EfficientNet-Lite0 unlearned everything within an epoch; 3e-4 is
 * what it is usually tuned with.
 */
export const highestBackboneRate = 3e-4
const shortestAverage = 0.9

/**
 * A step's recipe within a budget: another network, from its ImageNet weights where there are any by name, and epochs
 * in proportion, which whatever is a share of a phase follows. The moving average, which counts steps, forgets over the
 * same part of a phase as in the contest entry. Learning rates grow with the square root of how much fewer the steps are, in all
 * steps alike; that of the backbone as far as the backbone bears it.
 */
export function withinBudget(recipe: RecipeInput, budget: Budget): RecipeInput {
  const { architecture, epochs, size, batch, photos } = budget
  const { normalization, defaults } = findArchitecture(architecture)
  const steps = (count: number, width: number, all: number): number => count * Math.max(1, Math.floor(all / width))
  const scaled = (name: PhaseName): PhaseInput => {
    const phase = recipe.phases[name]
    if (phase.epochs === 0) return phase
    const count = Math.max(1, Math.round((phase.epochs * epochs) / firstStepEpochs))
    const fewer = steps(phase.epochs, phase.batch, reportPhotos) / steps(count, batch, photos)
    return {
      ...phase,
      epochs: count,
      size: name === 'fixres' ? toSize((size * phase.size) / recipe.phases.full.size) : size,
      batch,
      ema: phase.ema && {
        ...phase.ema,
        decay: Math.min(phase.ema.decay, Math.max(shortestAverage, 1 - (1 - phase.ema.decay) * fewer)),
      },
      // Only informs, and the ladder scores with all views in the end.
      tta: null,
    }
  }
  const factor = rateFactor(recipe.phases.full, budget)
  const withRates = (phase: PhaseInput): PhaseInput => ({
    ...phase,
    learningRate: {
      ...phase.learningRate,
      backbone: Math.min(phase.learningRate.backbone * factor, highestBackboneRate),
      head: phase.learningRate.head * factor,
    },
  })
  return {
    ...recipe,
    model: {
      ...recipe.model,
      architecture,
      layerScale: defaults.layerScale,
      stochasticDepth: defaults.stochasticDepth,
      weights: findPretrained(architecture) ? architecture : null,
    },
    // Half the bits cost the small networks time on a CPU: 1.8 times as much for EfficientNet-Lite0 at 64 px.
    precision: 'float32',
    data: { ...recipe.data, exclude: 'audit', selection: 'all' },
    preprocessing: { ...recipe.preprocessing, ...normalization },
    phases: {
      head: withRates(scaled('head')),
      full: withRates(scaled('full')),
      fixres: withRates(scaled('fixres')),
    },
  }
}

/** What learning rates are multiplied with, for all phases alike. */
function rateFactor(full: PhaseInput, { epochs, batch, photos }: Budget): number {
  const before = (full.epochs * reportPhotos) / full.batch
  const now = ((full.epochs * epochs) / firstStepEpochs) * Math.max(1, photos / batch)
  return Math.sqrt(before / now)
}

const toSize = (pixels: number): number => Math.max(16, Math.round(pixels / 16) * 16)
