import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'

const run = promisify(execFile)
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Makes the Python environment of the tests from its lock file, or finds it made. Gives its interpreter. */
export async function testPython(): Promise<string> {
  const { python } = await ensurePythonEnvironment()
  const target = path('python/.venv')
  const lock = path('python/requirements.lock')
  const stamp = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex')
  await run(python, [path('../packages/tensorflow/python/make_environment.py'), target, lock, `${stamp}\n`])
  return join(target, 'bin', 'python')
}

/** Of a tag: what TensorBoard read, in order. */
export interface Board {
  readonly scalars: Readonly<Record<string, [step: number, value: number][]>>
  readonly images: Readonly<Record<string, [step: number, width: number, height: number, sha256: string][]>>
}

/** Run folders as TensorBoard's own reader sees them. */
export async function readTensorBoard(...folders: readonly string[]): Promise<Board[]> {
  const { stdout } = await run(await testPython(), [path('fixtures/tensorboard_reader.py'), ...folders])
  return JSON.parse(stdout) as Board[]
}
