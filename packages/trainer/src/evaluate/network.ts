import { availableParallelism } from 'node:os'
import ort from 'onnxruntime-node'
import { SharedError } from '@flowers/shared/errors'

/** What a network says of one view. */
export interface NetworkOutputs {
  readonly logits: Float32Array
  /** How surely the view shows one of the classes, in (0, 1); null: the network has no such output. */
  readonly known: number | null
  /** What its last linear layer makes the logits of; null but in a copy that hands it out. */
  readonly features: Float32Array | null
}

/** An exported network in onnxruntime. Runs one batch at a time and holds the thread that calls it while it does. */
export interface Network {
  /** Side of the input, in pixels. */
  readonly size: number
  /** `images` [count, 3, size, size], normalised, to the outputs of each. */
  run(images: Float32Array, count: number): Promise<NetworkOutputs[]>
  release(): Promise<void>
}

const outputs = ['logits', 'known', 'known/features'] as const

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
  const asked = outputs.filter((name) => session.outputNames.includes(name))
  return {
    size,
    run: async (images, count) => {
      const input = new ort.Tensor('float32', images.subarray(0, count * 3 * size * size), [count, 3, size, size])
      const found = await session.run({ pixel_values: input }, asked)
      const rowsOf = (name: (typeof outputs)[number]): Float32Array[] | null => {
        const values = found[name]?.data as Float32Array | undefined
        if (values === undefined) return null
        const width = values.length / count
        return Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width))
      }
      const [logits, known, features] = outputs.map(rowsOf)
      return logits!.map((own, row) => ({
        logits: own,
        known: known?.[row]?.[0] ?? null,
        features: features?.[row] ?? null,
      }))
    },
    release: () => session.release(),
  }
}
