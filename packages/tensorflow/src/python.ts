import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { spawnChild } from './child.ts'
import { TensorflowError } from './errors.ts'

export interface PythonEnvironmentOptions {
  /** Receives one line of progress at a time; nothing is logged when the environment is there already. */
  readonly log?: (line: string) => void
  /** True: TensorFlow with CUDA. Default: what is installed already, else CUDA where `nvidia-smi` answers. */
  readonly gpu?: boolean
  /** Where the environment is; default `.venv` in this package. */
  readonly directory?: string
}

export interface PythonEnvironment {
  /** The interpreter, for the converter to ONNX. */
  readonly python: string
  /** Folder of `libtensorflow_cc.so.2`. */
  readonly libraryDirectory: string
}

/**
 * Makes the virtual environment from the lock file with hashes, or finds it made. Safe when several processes do so at
 * once and when one is killed: the stamp with the lock's hash is written last.
 *
 * Rejects with TENSORFLOW_PYTHON_MISSING, TENSORFLOW_VENV_MISSING or TENSORFLOW_INSTALL_FAILED.
 */
export async function ensurePythonEnvironment(options: PythonEnvironmentOptions = {}): Promise<PythonEnvironment> {
  const directory = options.directory ?? join(packageRoot(), '.venv')
  const kinds: Kind[] = options.gpu === undefined ? ['cpu', 'gpu'] : [options.gpu ? 'gpu' : 'cpu']
  const present = kinds.find((kind) => isMade(directory, kind))
  if (present === undefined) {
    const kind = options.gpu === undefined ? (hasNvidiaGpu() ? 'gpu' : 'cpu') : kinds[0]
    await make(directory, kind as Kind, options.log ?? (() => {}))
  }
  return { python: join(directory, 'bin', 'python'), libraryDirectory: libraryDirectory(directory) }
}

/** The version of TensorFlow that the lock pins, such as `2.21.0`. */
export function pinnedVersion(): string {
  const version = /^tensorflow-cpu==([\d.]+)/m.exec(readFileSync(lockFile('cpu'), 'utf8'))?.[1]
  if (version === undefined) throw new TensorflowError('TENSORFLOW_DEFECT', `no tensorflow-cpu in ${lockFile('cpu')}`)
  return version
}

type Kind = 'cpu' | 'gpu'

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'python', 'requirements.lock'))) {
    if (dirname(folder) === folder)
      throw new TensorflowError('TENSORFLOW_DEFECT', 'python/requirements.lock is missing from the package')
    folder = dirname(folder)
  }
  return folder
}

const lockFile = (kind: Kind): string =>
  join(packageRoot(), 'python', kind === 'gpu' ? 'requirements-gpu.lock' : 'requirements.lock')

const stampText = (kind: Kind): string =>
  `${kind} ${createHash('sha256')
    .update(readFileSync(lockFile(kind)))
    .digest('hex')}\n`

const libraryDirectory = (directory: string): string =>
  join(directory, 'lib', 'python3.11', 'site-packages', 'tensorflow')

function isMade(directory: string, kind: Kind): boolean {
  const stamp = join(directory, 'stamp')
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampText(kind)
}

function hasNvidiaGpu(): boolean {
  return spawnSync('nvidia-smi', ['-L'], { stdio: 'ignore' }).status === 0
}

function findPython(): string {
  const candidates = process.env['FLOWERS_PYTHON']
    ? [process.env['FLOWERS_PYTHON']]
    : ['python3.11', 'python3', 'python']
  const found: string[] = []
  for (const candidate of candidates) {
    const answer = spawnSync(candidate, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
      encoding: 'utf8',
    })
    if (answer.status !== 0) continue
    const version = answer.stdout.trim()
    if (version !== '3.11') {
      found.push(`${candidate} is Python ${version}`)
      continue
    }
    if (spawnSync(candidate, ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status !== 0) {
      throw new TensorflowError(
        'TENSORFLOW_VENV_MISSING',
        `${candidate} has no venv module, which the trainer's Python side needs`,
      )
    }
    return candidate
  }
  const detail = found.length > 0 ? found.join(', ') : `none of ${candidates.join(', ')} runs`
  throw new TensorflowError('TENSORFLOW_PYTHON_MISSING', `the trainer needs Python 3.11: ${detail}`)
}

async function make(directory: string, kind: Kind, log: (line: string) => void): Promise<void> {
  const script = join(packageRoot(), 'python', 'make_environment.py')
  const child = spawnChild(findPython(), [script, directory, lockFile(kind), stampText(kind)])
  const tail: string[] = []
  createInterface(child.stdout).on('line', log)
  createInterface(child.stderr).on('line', (line) => {
    tail.push(line)
    if (tail.length > 20) tail.shift()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0)
    throw new TensorflowError('TENSORFLOW_INSTALL_FAILED', `pip ended with code ${String(code)}:\n${tail.join('\n')}`)
}
