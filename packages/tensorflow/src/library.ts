import { closeSync, existsSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import koffi from 'koffi'
import type { LibraryHandle } from 'koffi'
import { bindApi, type Api } from './capi.ts'
import { pinnedVersion } from './python.ts'
import { TensorflowError } from './errors.ts'

const libraryNames = ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2'] as const

/** RTLD_LAZY | RTLD_GLOBAL | RTLD_NODELETE: without the last, the process crashes when TensorFlow is unloaded at exit. */
const dlopenFlags = 0x1 | 0x100 | 0x1000

/** `absl::SetMinLogLevel` under the name that the pinned build gives it. */
const setMinLogLevelSymbol = '_ZN4absl12lts_2025081414SetMinLogLevelENS0_18LogSeverityAtLeastE'

/**
 * Loads TensorFlow's C API from the folder of the Python wheel.
 * Throws TENSORFLOW_LIBRARY_MISSING or TENSORFLOW_LIBRARY_VERSION.
 */
export function loadLibrary(directory: string): Api {
  const libc = koffi.load('libc.so.6')
  const dlopen = libc.func('void* dlopen(const char*, int)') as (path: string, flags: number) => bigint | null
  const dlerror = libc.func('const char* dlerror()') as () => string | null
  for (const name of libraryNames) {
    const path = join(directory, name)
    if (!existsSync(path)) throw new TensorflowError('TENSORFLOW_LIBRARY_MISSING', `${path} does not exist`)
    if (withoutStderr(libc, () => dlopen(path, dlopenFlags)) === null) {
      throw new TensorflowError(
        'TENSORFLOW_LIBRARY_MISSING',
        `${path} does not load: ${dlerror() ?? 'no reason given'}`,
      )
    }
    if (name === libraryNames[0]) setLogLevel(path)
  }
  const api = bind(join(directory, libraryNames[1]))
  requireVersion(api.TF_Version(), pinnedVersion(), directory)
  return api
}

export function requireVersion(found: string, pinned: string, directory: string): void {
  if (found === pinned) return
  throw new TensorflowError('TENSORFLOW_LIBRARY_VERSION', `${directory} holds TensorFlow ${found}, ${pinned} is pinned`)
}

/** TensorFlow logs to the process's stderr while it is being loaded, before its level can be set. */
function withoutStderr<T>(libc: LibraryHandle, body: () => T): T {
  if (logLevel() === 0) return body()
  const dup = libc.func('int dup(int)') as (descriptor: number) => number
  const dup2 = libc.func('int dup2(int, int)') as (from: number, to: number) => number
  const nowhere = openSync('/dev/null', 'w')
  const saved = dup(2)
  dup2(nowhere, 2)
  try {
    return body()
  } finally {
    dup2(saved, 2)
    closeSync(saved)
    closeSync(nowhere)
  }
}

const logLevel = (): number => Number(process.env['TF_CPP_MIN_LOG_LEVEL'] ?? 0)

/** Applies TF_CPP_MIN_LOG_LEVEL to the part of TensorFlow's log to which only Python applies it. */
function setLogLevel(path: string): void {
  const framework = koffi.load(path)
  try {
    const setMinLogLevel = framework.func(setMinLogLevelSymbol, 'void', ['int']) as (level: number) => void
    setMinLogLevel(logLevel())
  } catch {
    // Another build has another name for it; its information lines are then shown.
  }
}

function bind(path: string): Api {
  try {
    return bindApi(koffi.load(path))
  } catch (error) {
    throw new TensorflowError('TENSORFLOW_LIBRARY_VERSION', `${path} lacks a function: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Node 23 removed functions of `util` that tfjs-node 4.22 calls. */
export function restoreUtil(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  util['isArray'] ??= Array.isArray
}
