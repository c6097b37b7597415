import { integerField, joinBytes, messageField } from './proto.ts'

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

/**
 * `ConfigProto` of a compiled function: graph_options 10, in it rewrite_options 10, empty. It is never left out: without it
 * the eager runtime runs the graph as it is, with it the graph is optimised first (half the nodes in a training step).
 */
export const functionConfig: Uint8Array = messageField(10, messageField(10))
