import type { NodeBackend } from './backend.ts'
import type { Binding } from './binding.ts'
import type { Core } from './core.ts'
import { SerialQueue } from './serial-queue.ts'
import { TensorflowError } from './errors.ts'

/** What `startTensorflow` made; one a process. */
export interface Runtime {
  readonly core: Core
  readonly binding: Binding
  readonly backend: NodeBackend
  /** Compiled functions run one at a time. */
  readonly queue: SerialQueue
  readonly version: string
  readonly device: 'cpu' | 'gpu'
}

let current: Runtime | undefined

/** Throws TENSORFLOW_NOT_STARTED before `startTensorflow` is done. */
export function runtime(): Runtime {
  if (current === undefined) throw new TensorflowError('TENSORFLOW_NOT_STARTED', 'TensorFlow is not started')
  return current
}

export function setRuntime(parts: Omit<Runtime, 'queue'>): Runtime {
  current = { ...parts, queue: new SerialQueue() }
  return current
}

/**
 * Tensors that TensorFlow's C API holds for this process and that somebody must dispose of. Flat from step to step
 * unless something leaks. 0 before the start.
 */
export function liveHandles(): number {
  return current?.core.liveHandles ?? 0
}
