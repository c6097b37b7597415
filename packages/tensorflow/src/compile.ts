import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { callSite } from './caller.ts'
import type { NodeOutput, Pointer } from './capi.ts'
import { functionConfig } from './config.ts'
import type { Handle } from './core.ts'
import { hasBfloat16, type Precision } from './precision.ts'
import { runtime } from './runtime.ts'
import { Trace } from './trace.ts'
import { TensorflowError } from './errors.ts'

export type Outputs = Record<string, Tensor>

export interface CompileOptions {
  /** Appears in errors and profiles. */
  readonly name?: string
  /**
   * What matrix products and convolutions are computed in; inputs, outputs and variables stay float32. bfloat16 has an
   * effect only where the machine has instructions for it (a GPU, or AVX512-BF16 or AMX). float16 is for GPUs, a CPU is
   * slow with it, and its gradients need a scaled loss.
   */
  readonly precision?: Precision
  /** Compile by XLA as a whole. Slower than the default on a CPU. */
  readonly xla?: boolean
}

/** A function compiled once for each shape and type of its inputs. */
export interface Compiled<I extends readonly Tensor[], O extends Outputs> {
  /**
   * Runs on another thread; calls are queued, one runs at a time. Inputs may be disposed of as soon as this returns its
   * promise; the outputs are the caller's to dispose of. It occupies one thread of libuv's pool: `UV_THREADPOOL_SIZE`
   * should leave enough of them for whoever decodes photos meanwhile.
   */
  readonly run: (...inputs: I) => Promise<O>
  /** The same on this thread, not while a `run` is under way. Inside another trace it becomes part of that trace. */
  readonly runSync: (...inputs: I) => O
  /** Bytes of everything that is computed for these inputs: an upper bound of what a run takes, beside variables. Runs nothing. */
  readonly bytes: (...inputs: I) => number
  /** Frees the functions and what they captured. */
  readonly dispose: () => void
  /** How many signatures were traced so far. */
  readonly signatures: number
}

interface TracedFunction {
  readonly name: string
  readonly captured: readonly Handle[]
  readonly outputNames: readonly string[]
  readonly bytes: number
  readonly release: () => void
}

let made = 0

/**
 * Traces `fn` into one TensorFlow function per signature of its inputs. Everything in it must be made of tensors: a
 * JavaScript value read while tracing is the same in every run, so tfjs's own random numbers are frozen (use
 * `stateless`). Tensors from outside become inputs with the value they have at each run; variables are used in place.
 *
 * Throws at the first call with a signature: TENSORFLOW_VALUE_IN_TRACE, TENSORFLOW_UNKNOWN_SHAPE, TENSORFLOW_OP_REFUSED.
 * Throws in any call: TENSORFLOW_RUN_FAILED, TENSORFLOW_OUT_OF_MEMORY, TENSORFLOW_DISPOSED.
 */
export function compile<I extends readonly Tensor[], O extends Outputs>(
  fn: (...inputs: I) => O,
  options: CompileOptions = {},
): Compiled<I, O> {
  const functions = new Map<string, TracedFunction>()
  const label = options.name ?? (fn.name || 'compiled')
  let disposed = false

  const functionFor = (inputs: I): TracedFunction => {
    if (disposed) throw new TensorflowError('TENSORFLOW_DISPOSED', `compiled function ${label}`)
    if (runtime().binding.trace !== null)
      throw new TensorflowError('TENSORFLOW_VALUE_IN_TRACE', `${label}: only runSync works inside a trace`)
    const signature = signatureOf(inputs)
    let found = functions.get(signature)
    if (found === undefined) {
      found = traceFunction(fn, inputs, label, options)
      functions.set(signature, found)
    }
    return found
  }

  const newCall = (traced: TracedFunction, inputs: I): Pointer => {
    const { core, backend, binding } = runtime()
    const handles = [...backend.getInputTensorIds(inputs).map((id) => binding.handle(id)), ...traced.captured]
    const op = core.newOp(traced.name, [], handles)
    core.api.TFE_OpSetAttrString(op, 'config_proto', functionConfig, functionConfig.length)
    return op
  }

  const wrap = (traced: TracedFunction, handles: readonly Handle[]): O => {
    const { backend, binding } = runtime()
    const tensors = handles.map((handle) => backend.createOutputTensor(binding.describe(handle)))
    return Object.fromEntries(traced.outputNames.map((name, index) => [name, tensors[index]])) as O
  }

  return {
    async run(...inputs) {
      const { core, queue } = runtime()
      const where = callSite()
      const traced = functionFor(inputs)
      const op = newCall(traced, inputs)
      const handles = await queue.add(() =>
        core.executeAsync(op, traced.outputNames.length, 'TENSORFLOW_RUN_FAILED', label, where),
      )
      return wrap(traced, handles)
    },
    runSync(...inputs) {
      const { core, binding } = runtime()
      if (binding.trace !== null) return fn(...inputs)
      const traced = functionFor(inputs)
      return wrap(
        traced,
        core.execute(newCall(traced, inputs), traced.outputNames.length, 'TENSORFLOW_RUN_FAILED', label),
      )
    },
    bytes: (...inputs) => functionFor(inputs).bytes,
    dispose() {
      disposed = true
      const releases = [...functions.values()].map(({ release }) => release)
      functions.clear()
      runtime().queue.afterwards(() => releases.forEach((release) => release()))
    },
    get signatures() {
      return functions.size
    },
  }
}

function signatureOf(inputs: readonly Tensor[]): string {
  const { backend } = runtime()
  return inputs.map(({ dataId, shape }) => `${backend.tensorMap.get(dataId).dtype}[${shape.join(',')}]`).join(' ')
}

function traceFunction<I extends readonly Tensor[]>(
  fn: (...inputs: I) => Outputs,
  inputs: I,
  label: string,
  options: CompileOptions,
): TracedFunction {
  const { core, backend, binding, device } = runtime()
  const { precision = 'float32' } = options
  const low = precision === 'float32' || (precision === 'bfloat16' && !hasBfloat16(device)) ? null : precision
  const trace = new Trace(core, 'function', low)
  const name = `${label.replace(/\W/g, '_')}_${made++}`
  try {
    const parameters: NodeOutput[] = []
    let results: NodeOutput[] = []
    let outputNames: string[] = []
    binding.tracing(trace, () => {
      tf.tidy(() => {
        const stand = inputs.map(({ dataId, shape }) => {
          const node = trace.placeholder(shape, backend.tensorMap.get(dataId).dtype)
          parameters.push(node.output)
          return backend.createOutputTensor({ id: binding.addNode(node), shape: node.shape, dtype: node.dtype })
        })
        const outputs = fn(...(stand as unknown as I))
        outputNames = Object.keys(outputs)
        results = backend.getInputTensorIds(Object.values(outputs)).map((id) => binding.output(id))
      })
      trace.toFunction(name, parameters, results, options.xla === true)
    })
    const captured = [...trace.captures.values()].map(({ handle }) => handle)
    const release = (): void => {
      core.call('TENSORFLOW_OP_REFUSED', label, (status) =>
        core.api.TFE_ContextRemoveFunction(core.context, name, status),
      )
      trace.releaseCaptures()
    }
    return { name, captured, outputNames, bytes: trace.outputBytes, release }
  } catch (error) {
    trace.releaseCaptures()
    throw error
  } finally {
    trace.deleteGraph()
  }
}
