import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TensorBoard } from '@flowers/trainer/run/tensorboard'
import { startTensorflow } from '@flowers/tensorflow'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readTensorBoard, testPython } from './python-environment.ts'

let folder: string

beforeAll(async () => {
  await testPython()
  await startTensorflow({ device: 'cpu' })
  folder = await mkdtemp(join(tmpdir(), 'flowers-tensorboard-'))
}, 600_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const epoch = (loss: number, ttaAccuracy: number | null = null) => ({
  loss,
  trainAccuracy: 0.5,
  validLoss: 1.5,
  validAccuracy: 0.25,
  ttaAccuracy,
  learningRate: 0.001,
  backboneLearningRate: 0.0001,
  imagesPerSecond: 77,
})
const picture = { pixels: new Uint8Array(4 * 2 * 3).fill(200), width: 4, height: 2 }

it('TensorBoard reads what a run wrote, and of what was trained twice the second time', async () => {
  const killed = new TensorBoard(folder, null)
  killed.picture('train_photos/head', 0, picture)
  killed.epoch(9, epoch(3))
  killed.epoch(19, epoch(2, 0.75))
  // Saved after step 15: the epoch that ended at 19 is trained again.
  const resumed = new TensorBoard(folder, 15)
  resumed.epoch(19, epoch(1))
  resumed.epoch(29, epoch(0.5, 0.875))
  for (const board of [killed, resumed]) board.close()
  expect((await readdir(folder)).filter((name) => name.startsWith('events.out.tfevents.')).length).toBeGreaterThan(0)

  const [board] = await readTensorBoard(folder)
  expect(board).toMatchObject({
    scalars: {
      'train/loss': [
        [9, 3],
        [19, 1],
        [29, 0.5],
      ],
      'valid/tta_accuracy': [[29, 0.875]],
      'train/accuracy': [
        [9, 0.5],
        [19, 0.5],
        [29, 0.5],
      ],
    },
    images: { 'train_photos/head/image': [[0, 4, 2, expect.stringMatching(/^[0-9a-f]{64}$/)]] },
  })
  expect(Object.keys(board!.scalars).toSorted()).toEqual([
    'images_per_second',
    'learning_rate',
    'learning_rate_backbone',
    'train/accuracy',
    'train/loss',
    'valid/accuracy',
    'valid/loss',
    'valid/tta_accuracy',
  ])
})
