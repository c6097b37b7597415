import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toTensor } from '@flowers/shared/image/canvas'
import { decodeViews } from '@flowers/shared/image/preprocess'
import { mergeViews, softmax } from '@flowers/shared/model/views'
import { oneView, sixViews } from '@flowers/shared/image/view'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { convnext } from '../model/convnext.ts'
import { initialize } from '../model/init.ts'
import { recipeDefaults } from '../recipe/defaults.ts'
import { startTensorflow, Variable } from '../tensorflow/index.ts'
import { Scorers, summarize, ValidationSet } from './validate.ts'

it('counts what training counts: of equal probabilities the first is the answer', () => {
  const samples = [0, 1, 2].map((index) => ({ id: `${index}`, path: '', label: `${index}`, index }))
  const accuracy = (...rows: number[][]) =>
    summarize(
      rows.map((row) => Float32Array.from(row)),
      samples,
      1,
    ).accuracy
  const third = [1 / 3, 1 / 3, 1 / 3]
  expect(accuracy(third, third, third)).toBe(1 / 3)
  expect(accuracy([0.4, 0.2, 0.4], [0.2, 0.4, 0.4], [0.4, 0.2, 0.4])).toBe(2 / 3)
  expect(accuracy([NaN, NaN, NaN], third, third)).toBe(0)
})

beforeAll(async () => {
  await startTensorflow()
})

const classes = 3
const preprocessing = { ...recipeDefaults.preprocessing, size: 24 }
const model = convnext({ name: 'tiny', depths: [1, 1], dims: [8, 16], mlpKind: 'linear', stochasticDepth: 0 }).build({
  classes,
  head: { kind: 'linear' },
  stochasticDepth: 0,
  layerScale: 1,
})

it.each([
  ['one view', oneView],
  ['six views', sixViews],
])('scores the mean probability over %s, as the service sees them', async (_, views) => {
  const photos = await Promise.all([1, 2, 3, 4, 5].map((seed) => testPhoto(seed, 40, 31)))
  const folder = await testFolder(Object.fromEntries(photos.map((photo, index) => [`${index}.jpg`, photo])))
  try {
    const samples = photos.map((__, index) => ({
      id: `${index}`,
      path: join(folder.path, `${index}.jpg`),
      label: `${index % classes}`,
      index: index % classes,
    }))
    // Weights large enough that views disagree.
    const values = initialize(model, 8)
    const variables = new Map(
      model.parameters.map(({ name, shape }) => [
        name,
        new Variable(name, { shape: [...shape], dtype: 'float32', data: values.get(name)!.map((value) => value * 8) }),
      ]),
    )
    const scorers = new Scorers(model, (name) => variables.get(name)!, preprocessing)
    const set = new ValidationSet(samples, { preprocessing, batch: 4 })
    const scored = await set.score(scorers, views, new AbortController().signal)

    let [correct, loss] = [0, 0]
    for (const { path, index } of samples) {
      const scales = [...new Set(views.map(({ scale }) => scale))]
      const canvases = await decodeViews(await readFile(path), preprocessing, scales)
      const mean = mergeViews(
        views.map(({ flip, scale }) => {
          const input = new Float32Array(3 * 24 * 24)
          toTensor(canvases[scales.indexOf(scale)]!, flip, preprocessing, input)
          const images = tf.transpose(tf.tensor4d(input, [1, 3, 24, 24]), [0, 2, 3, 1])
          const context = {
            parameter: (name: string) => variables.get(name)!.read(),
            training: false,
            uniform: () => tf.scalar(0),
          }
          return softmax(model.classify(model.featureMap(images, context), context).dataSync() as Float32Array)
        }),
      )
      loss -= Math.log(mean[index]!) / samples.length
      if (mean.every((value) => value <= mean[index]!)) correct++
    }
    expect(scored.loss).toBeCloseTo(loss, 4)
    expect(scored.accuracy).toBe(correct / samples.length)
    expect(await set.score(scorers, views, new AbortController().signal)).toEqual(scored)
  } finally {
    await folder.remove()
  }
})
