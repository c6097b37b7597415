import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { runtime } from './runtime.ts'
import { dataTypes } from './dtype.ts'
import { Trace } from './trace.ts'

/**
 * Traces `fn` with its variables and every tensor from outside as constants, and serialises it as a GraphDef for
 * `python -m tf2onnx.convert --graphdef`.
 *
 * @param input name and shape of the float32 placeholder; -1 is not allowed in the shape.
 * @param outputName name of the node with the result: `<outputName>:0` for the converter.
 */
export function freeze(
  fn: (x: Tensor) => Tensor,
  input: { name: string; shape: number[] },
  outputName: string,
): Uint8Array {
  const { core, backend, binding } = runtime()
  const trace = new Trace(core, 'freeze')
  try {
    return binding.tracing(trace, () => {
      tf.tidy(() => {
        const node = trace.placeholder(input.shape, dataTypes.float32, input.name)
        const x = backend.createOutputTensor({ id: binding.addNode(node), shape: node.shape, dtype: node.dtype })
        const [id] = backend.getInputTensorIds([fn(x)]) as [number]
        trace.add('Identity', [], [binding.output(id)], 1, [], outputName)
      })
      return trace.toGraphDef()
    })
  } finally {
    trace.releaseCaptures()
    trace.deleteGraph()
  }
}
