import { createRequire } from 'node:module'
import type { backend_util, DataType, KernelBackend, Tensor } from '@tensorflow/tfjs-core'
import type { Binding, TensorMetadata } from './binding.ts'
import type { Trace } from './trace.ts'

/** What tfjs-node's backend keeps of a tensor; `values` while they are not in TensorFlow yet. */
interface Stored {
  shape: number[]
  dtype: number
  values: BackendValues | null
  id: number
  refCount: number
  /** The trace in which the values were given; they become a constant of it. */
  origin?: Trace | null
  /** Number of that constant. */
  constant?: number
}

type DataId = object
type BackendValues = backend_util.BackendValues

/** The part of tfjs-node's `NodeJSKernelBackend` that is used. */
export interface NodeBackend extends KernelBackend {
  readonly tensorMap: { get(dataId: DataId): Stored }
  createOutputTensor(metadata: TensorMetadata): Tensor
  getInputTensorIds(tensors: readonly { dataId: DataId }[]): number[]
  move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void
}

type NodeBackendClass = new (binding: Binding, packageName: string) => NodeBackend

const tfjsNode = '@tensorflow/tfjs-node-gpu/dist'
const require = createRequire(import.meta.url)

/**
 * tfjs-node's backend over our binding. It differs where values wait to be copied to TensorFlow: those given inside a
 * trace are constants of that trace only, those from before it become tensors as ever.
 */
export function createBackend(binding: Binding): NodeBackend {
  const { NodeJSKernelBackend } = require(`${tfjsNode}/nodejs_kernel_backend`) as {
    NodeJSKernelBackend: NodeBackendClass
  }

  class TracingBackend extends NodeJSKernelBackend {
    override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
      super.move(dataId, values, shape, dtype, refCount)
      this.tensorMap.get(dataId).origin = binding.trace
    }

    override getInputTensorIds(tensors: readonly { dataId: DataId }[]): number[] {
      if (binding.trace === null) return super.getInputTensorIds(tensors)
      return tensors.map((tensor) => this.#idInTrace(this.tensorMap.get(tensor.dataId)))
    }

    #idInTrace(stored: Stored): number {
      if (stored.values === null) return stored.id
      if (stored.origin === binding.trace) {
        stored.constant ??= binding.createTensor(stored.shape, stored.dtype, stored.values as ArrayLike<number>)
        return stored.constant
      }
      stored.id = binding.createEager(stored.shape, stored.dtype, stored.values as ArrayLike<number>)
      stored.values = null
      return stored.id
    }
  }

  // tfjs-node takes this name for the build whose kernels may run on a GPU.
  return new TracingBackend(binding, binding.isUsingGpuDevice() ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node')
}

export function registerKernels(): void {
  require(`${tfjsNode}/register_all_kernels`)
}
