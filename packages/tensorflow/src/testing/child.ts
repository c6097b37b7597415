/** Runs in a process of its own, for the tests: `child.js train` prints a hash of what training made; see `modes`. */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import * as tf from '@tensorflow/tfjs-core'
import { bytes, compile, startTensorflow } from '../index.ts'
import { batch, createState, side, stepInputs, trainStep } from './tiny-convnext.ts'

async function train(): Promise<void> {
  const state = await createState()
  const step = compile((photos: tf.Tensor, labels: tf.Tensor, scalars: tf.Tensor, seed: tf.Tensor) =>
    trainStep(state, photos, labels, scalars, seed),
  )
  const hash = createHash('sha256')
  for (let index = 0; index < 20; index++) {
    const { pixels, labels, scalars, seed } = stepInputs(index)
    const outputs = await step.run(
      bytes(pixels, [batch, side, side, 3]),
      tf.tensor1d(labels),
      tf.tensor1d(scalars),
      tf.tensor1d(seed, 'int32'),
    )
    hash.update(await (outputs['loss'] as tf.Tensor).data())
  }
  for (const { weight } of Object.values(state)) hash.update(await weight.data())
  console.log(hash.digest('hex'))
}

async function withWorker(): Promise<void> {
  const worker = new Worker("require('node:worker_threads').parentPort.once('message', () => {})", { eval: true })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  await train()
  worker.postMessage('end')
  await ended
}

/** Ends the process while a long step runs on another thread. */
async function exitDuringStep(): Promise<void> {
  const square = tf.ones([1500, 1500])
  const long = compile((x: tf.Tensor) => ({
    y: tf.matMul(tf.matMul(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), x as tf.Tensor2D), x as tf.Tensor2D),
  }))
  void long.run(square)
  // By now the queue has handed the step over.
  await new Promise(setImmediate)
  process.exit(0)
}

const modes: Readonly<Record<string, () => Promise<void>>> = { train, withWorker, exitDuringStep }

await startTensorflow({ deterministic: true, intraThreads: 2, interThreads: 2, device: 'cpu' })
await (modes[process.argv[2] ?? ''] ?? train)()
