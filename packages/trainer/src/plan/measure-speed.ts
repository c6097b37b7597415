import type { Dataset } from '../dataset/dataset.ts'
import { trainBatches } from '../input/loader.ts'
import { initialize } from '../model/init.ts'
import { findArchitecture } from '../model/registry.ts'
import type { Recipe } from '../recipe/schema.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { resolvePrecision } from '../recipe/precision.ts'
import { compileStep, emptyInputs, runEmpty, useInputs, variablesFor } from '../train/step.ts'
import type { Speed } from './cost.ts'

/** Longest that steps are timed. */
const seconds = 8

/**
 * Times a few steps of the phase `full` while its photos are decoded, on weights that are thrown away. The first step is
 * the start: it traces the network.
 */
export async function measureSpeed(
  recipe: Recipe,
  { train, labels }: Pick<Dataset, 'train' | 'labels'>,
  signal?: AbortSignal,
): Promise<Speed> {
  const { device } = await startTensorflow({ deterministic: true })
  signal?.throwIfAborted()
  const { precision } = resolvePrecision(recipe, device)
  const { size, batch, augment } = recipe.phases.full
  const { architecture, ...options } = recipe.model
  const model = findArchitecture(architecture).build({ classes: labels.length, ...options })
  const variables = variablesFor(model, recipe.phases.full, precision, initialize(model, recipe.seed))
  const step = compileStep(model, variables, recipe.phases.full, { precision, classWeights: null })
  try {
    const begun = performance.now()
    await runEmpty(step, batch, size)
    signal?.throwIfAborted()
    const startSeconds = (performance.now() - begun) / 1000
    const started = performance.now()
    let steps = 0
    const { crop } = augment
    for await (const _ of trainBatches(train, { size, batch, seed: recipe.seed, epoch: 0, crop })) {
      await runEmpty(step, batch, size)
      signal?.throwIfAborted()
      steps++
      if (performance.now() - started > 1000 * seconds) break
    }
    const photosPerSecond = (1000 * steps * batch) / (performance.now() - started)
    const bytesPerPhoto = useInputs(emptyInputs(batch, size), (inputs) => step.bytes(inputs)) / batch
    return { photosPerSecond, size, startSeconds, bytesPerPhoto }
  } finally {
    step.dispose()
    variables.dispose()
  }
}
