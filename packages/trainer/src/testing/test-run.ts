import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeDataset, openDataset, withoutPhotos } from '../dataset/dataset.ts'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import { Random } from '@flowers/shared/random'
import type { Model } from '../model/architecture.ts'
import { findArchitecture } from '../model/registry.ts'
import { toTimmTensors } from '../model/weights/load.ts'
import { writeSafetensors } from '../model/weights/safetensors.ts'
import type { Recipe } from '../recipe/schema.ts'
import { recipeDefaults } from './test-recipe.ts'

/**
 * For tests: weights as lively as trained ones. None is 0 or 1, so nothing can be folded away unseen, LayerScale is of
 * the order of 1, so every block matters, and each layer keeps the size of its input, so the logits are of the order of 1.
 */
export function livelyWeights(model: Pick<Model, 'parameters'>, seed: number): Map<string, Float32Array> {
  return new Map(
    model.parameters.map(({ name, shape, kind }, index) => {
      const random = new Random(seed, 'parameters', 0, index)
      const count = shape.reduce((a, b) => a * b, 1)
      const inputs = kind === 'depthwise' ? count / shape[2]! : count / shape.at(-1)!
      const isGain = kind === 'vector' && !/(bias|running_mean)$/.test(name)
      const deviation = kind === 'vector' ? 0.3 : 1 / Math.sqrt(inputs)
      // Uniform, of this deviation: one random word a value, for networks of a hundred million.
      const draw = (): number => (random.word() / 2 ** 32 - 0.5) * Math.sqrt(12) * deviation
      const values = Float32Array.from({ length: count }, () => (isGain ? 1 : 0) + draw())
      return [name, name.endsWith('running_var') ? values.map((value) => 0.2 + value ** 2) : values]
    }),
  )
}

export interface TestRun {
  readonly run: string
  readonly data: string
  /** A folder for whatever a test makes. */
  readonly folder: string
  readonly recipe: Recipe
  readonly remove: () => Promise<void>
}

/** For tests: a run folder as training leaves it, of a network with lively weights, and its photos: drawn flowers. */
export async function makeTestRun(options: {
  architecture: string
  size: number
  /** A class is a species. */
  photos: { species: number; train: number; valid: number }
  change?: (recipe: Recipe) => Recipe
  /** Id of a file to be that is no photo, and that the audit took out of the run. */
  broken?: string
}): Promise<TestRun> {
  const { architecture, size, photos, change = (recipe) => recipe, broken } = options
  const folder = await mkdtemp(join(tmpdir(), 'flowers-run-'))
  const data = join(folder, 'flowers')
  await drawFlowers(data, { ...photos, size: Math.min(size, 96), seed: 5 })
  if (broken !== undefined) await writeFile(join(data, broken), 'no photo')
  const recipe = change({
    ...recipeDefaults,
    name: 'test',
    model: {
      architecture,
      head: { kind: 'mlp', hidden: 32, dropout: 0.3 },
      stochasticDepth: 0.1,
      layerScale: 1e-6,
      weights: null,
    },
  })
  const run = join(folder, 'run')
  await mkdir(join(run, 'checkpoints'), { recursive: true })
  const excluded = broken === undefined ? [] : [broken]
  const opened = await openDataset(data, { seed: recipe.seed, validShare: recipe.data.validShare })
  const dataset = withoutPhotos(opened, new Set(excluded))
  const { head, stochasticDepth, layerScale } = recipe.model
  const model = findArchitecture(architecture).build({
    classes: dataset.labels.length,
    head,
    stochasticDepth,
    layerScale,
  })
  await writeFile(join(run, 'recipe.json'), JSON.stringify(recipe))
  await writeFile(join(run, 'environment.json'), JSON.stringify({ device: 'cpu' }))
  await writeFile(join(run, 'data.json'), JSON.stringify({ source: data, excluded, ...describeDataset(dataset) }))
  const metadata = { architecture, phase: 'fixres', epoch: '2', size: String(size), validAccuracy: '0.5' }
  await writeSafetensors(
    join(run, 'checkpoints', 'best.safetensors'),
    toTimmTensors(model, livelyWeights(model, 3)),
    metadata,
  )
  return { run, data, folder, recipe, remove: () => rm(folder, { recursive: true }) }
}
