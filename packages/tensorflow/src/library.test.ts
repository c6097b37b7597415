import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tensorflowErrors, type TensorflowError } from './errors.ts'
import { startTensorflow, Variable } from './index.ts'
import { requireVersion } from './library.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tensorflow-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

const names = ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2']

async function startFailure(): Promise<TensorflowError> {
  return startTensorflow({ libraryDirectory: folder }).then(
    () => Promise.reject(new Error('it started')),
    (error: unknown) => error as TensorflowError,
  )
}

describe('a library that cannot be used says what to run', () => {
  test('missing', async () => {
    const error = await startFailure()
    expect(error.code).toBe('TENSORFLOW_LIBRARY_MISSING')
    expect(error.message).toContain(join(folder, names[0]!))
    expect(error.entry.remedy).toMatch(/run the command again/)
  })

  test('not a library', async () => {
    for (const name of names) writeFileSync(join(folder, name), 'not a library')
    const error = await startFailure()
    expect(error.code).toBe('TENSORFLOW_LIBRARY_MISSING')
    expect(error.message).toMatch(/does not load: .*(invalid ELF|too short)/)
  })

  const other = ['/lib/x86_64-linux-gnu/libm.so.6', '/lib64/libm.so.6', '/usr/lib/libm.so.6'].find((path) =>
    existsSync(path),
  )
  test.skipIf(other === undefined)('another library', async () => {
    for (const name of names) copyFileSync(other!, join(folder, name))
    const error = await startFailure()
    expect(error.code).toBe('TENSORFLOW_LIBRARY_VERSION')
    expect(error.message).toMatch(/lacks a function/)
  })

  test('another version', () => {
    expect(() => requireVersion('2.21.0', '2.21.0', folder)).not.toThrow()
    expect(() => requireVersion('2.19.1', '2.21.0', folder)).toThrow(/holds TensorFlow 2\.19\.1, 2\.21\.0 is pinned/)
    expect(tensorflowErrors.TENSORFLOW_LIBRARY_VERSION.remedy).toMatch(/run the command again/)
  })
})

test('before the start, everything says so', () => {
  expect(() => new Variable('early', { shape: [], dtype: 'float32' })).toThrow(
    expect.objectContaining({ code: 'TENSORFLOW_NOT_STARTED' }),
  )
})

test('after a failed start, a good one works', async () => {
  await startFailure()
  const { version, device } = await startTensorflow({ device: 'cpu' })
  expect([version, device]).toEqual(['2.21.0', 'cpu'])
  expect(await startTensorflow({ libraryDirectory: folder })).toEqual({ version, device })
})
