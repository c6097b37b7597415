import { availableParallelism } from 'node:os'
import ort from 'onnxruntime-node'
import { SharedError } from '@flowers/shared/errors'

/** An exported network in onnxruntime. Runs one batch at a time and holds the thread that calls it while it does. */
export interface Network {
  /** Side of the input, in pixels. */
  readonly size: number
  /** `images` [count, 3, size, size], normalised, to one row of logits each. */
  run(images: Float32Array, count: number): Promise<Float32Array[]>
  release(): Promise<void>
}

/** Opens an ONNX file on all cores the process may use. Throws MODEL_OUTPUT when it is none, or has other borders. */
export async function openNetwork(path: string, size: number): Promise<Network> {
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: availableParallelism(),
    // Waiting threads would burn the cores that decode the next photos.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  }).catch((cause: unknown) => {
    throw new SharedError('MODEL_OUTPUT', `${path} cannot be opened: ${String(cause)}`, { cause })
  })
  if (session.inputNames.join() !== 'pixel_values' || !session.outputNames.includes('logits')) {
    throw new SharedError(
      'MODEL_OUTPUT',
      `${path} maps ${session.inputNames.join(', ')} to ${session.outputNames.join(', ')}, not pixel_values to logits.`,
    )
  }
  return {
    size,
    run: async (images, count) => {
      const input = new ort.Tensor('float32', images.subarray(0, count * 3 * size * size), [count, 3, size, size])
      const { logits } = await session.run({ pixel_values: input }, ['logits'])
      const values = logits?.data as Float32Array
      const classes = values.length / count
      return Array.from({ length: count }, (_, row) => values.slice(row * classes, (row + 1) * classes))
    },
    release: () => session.release(),
  }
}
