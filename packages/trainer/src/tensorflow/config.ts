import { integerField, joinBytes, messageField } from './proto.ts'

/** What the matrix products of a compiled function are computed in. */
export type Precision = 'float32' | 'bfloat16' | 'float16'

const toggleOn = 1

/** `ConfigProto` of the process: intra_op_parallelism_threads 2, inter_op_parallelism_threads 5, allow_soft_placement 7. */
export function processConfig(options: { intraThreads: number; interThreads: number; gpu: boolean }): Uint8Array {
  const cpuOnly = messageField(1, joinBytes(Uint8Array.from(Buffer.from('\x0a\x03GPU')), integerField(2, 0)))
  const gpuMemory = messageField(6, integerField(4, 1))
  return joinBytes(
    options.gpu ? gpuMemory : cpuOnly,
    integerField(2, options.intraThreads),
    integerField(5, options.interThreads),
    integerField(7, 1),
  )
}

/** `RewriterConfig` field auto_mixed_precision 23, for GPUs. bfloat16 is decided while tracing, see mixed-precision.ts. */
const rewriterFields = { float32: null, bfloat16: null, float16: 23 } as const satisfies Record<
  Precision,
  number | null
>

/**
 * `ConfigProto` of one compiled function: graph_options 10, in it rewrite_options 10. It is never left out: without it
 * the eager runtime runs the graph as it is, with it the graph is optimised first (half the nodes in a training step).
 */
export function functionConfig(precision: Precision): Uint8Array {
  const field = rewriterFields[precision]
  return messageField(10, messageField(10, ...(field === null ? [] : [integerField(field, toggleOn)])))
}
