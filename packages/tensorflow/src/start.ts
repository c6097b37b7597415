import { availableParallelism } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'
import { createBackend, registerKernels } from './backend.ts'
import { Binding } from './binding.ts'
import { processConfig } from './config.ts'
import { Core } from './core.ts'
import { replaceKernels } from './kernels.ts'
import { loadLibrary, restoreUtil } from './library.ts'
import { ensurePythonEnvironment } from './python.ts'
import { setRuntime } from './runtime.ts'
import { TensorflowError } from './errors.ts'

export interface StartOptions {
  /** Folder of `libtensorflow_cc.so.2`; default: the trainer's Python environment, made when missing. */
  readonly libraryDirectory?: string
  /** Threads within an operation; default: all cores. */
  readonly intraThreads?: number
  /** Operations at once; default: all cores. */
  readonly interThreads?: number
  /** Same inputs, same bits: on the same machine with the same number of threads. */
  readonly deterministic?: boolean
  /** Default: the GPU where TensorFlow finds one. */
  readonly device?: 'cpu' | 'gpu'
}

export interface Started {
  readonly version: string
  readonly device: 'cpu' | 'gpu'
}

let started: Promise<Started> | undefined

/**
 * Loads TensorFlow and makes it the backend of tfjs (`tensorflow`). Later calls return the first one's result, whatever
 * their options. Call it in the main thread: the environment variables that TensorFlow reads are those of the process.
 *
 * Rejects with TENSORFLOW_LIBRARY_MISSING, TENSORFLOW_LIBRARY_VERSION, TENSORFLOW_DEVICE_MISSING, or as
 * `ensurePythonEnvironment` does.
 */
export function startTensorflow(options: StartOptions = {}): Promise<Started> {
  started ??= start(options).catch((error: unknown) => {
    started = undefined
    throw error
  })
  return started
}

async function start(options: StartOptions): Promise<Started> {
  const directory =
    options.libraryDirectory ??
    (await ensurePythonEnvironment({ log: (line) => process.stderr.write(`${line}\n`) })).libraryDirectory
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  if (options.deterministic === true) process.env['TF_DETERMINISTIC_OPS'] = '1'
  const api = loadLibrary(directory)
  const cores = availableParallelism()
  const core = new Core(
    api,
    processConfig({
      intraThreads: options.intraThreads ?? cores,
      interThreads: options.interThreads ?? cores,
      gpu: options.device !== 'cpu',
    }),
  )
  const device = options.device !== 'cpu' && core.hasGpu() ? 'gpu' : 'cpu'
  if (options.device === 'gpu' && device !== 'gpu')
    throw new TensorflowError('TENSORFLOW_DEVICE_MISSING', `TensorFlow in ${directory} finds no GPU`)
  const version = api.TF_Version()
  const binding = new Binding(core, version, device === 'gpu')
  restoreUtil()
  const backend = createBackend(binding)
  tf.registerBackend('tensorflow', () => backend, 3)
  registerKernels()
  replaceKernels()
  await tf.setBackend('tensorflow')
  setRuntime({ core, binding, backend, version, device })
  return { version, device }
}
