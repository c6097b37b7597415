import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { solid } from '@flowers/serve/testing/pictures'
import { startService } from '@flowers/serve/testing/service'
import { beforeAll, describe, expect, it } from 'vitest'
import { testPython } from './python-environment.ts'

const run = promisify(execFile)
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Results {
  readonly [name: string]: unknown
  readonly logits: Record<string, { id: string; version: string; values: number[][] }>
  readonly probabilities: number[][]
  readonly failures: Record<string, [status: string, message: string]>
}

let results: Results

beforeAll(async () => {
  const python = await testPython()
  const folder = await mkdtemp(join(tmpdir(), 'flowers-triton-'))
  const service = await startService({ FLOWERS_ADMIN_TOKEN: 'admin-1' })
  try {
    await writeFile(join(folder, 'red.jpg'), await solid('#ff0000'))
    await writeFile(join(folder, 'blue.jpg'), await solid('#0000ff'))
    const { host } = new URL(service.url)
    const { stdout } = await run(python, [path('fixtures/triton_client.py'), host, 'admin-1', folder])
    results = JSON.parse(stdout) as Results
  } finally {
    await service.close()
    await rm(folder, { recursive: true })
  }
})

describe('the client of Triton', () => {
  it('finds the server and its models', () => {
    expect(results).toMatchObject({
      live: true,
      ready: true,
      server: { name: 'flowers', extensions: expect.arrayContaining(['binary_tensor_data', 'classification']) },
      model: { name: 'tiny', versions: ['1'], platform: 'onnx_onnxv1' },
      modelReady: [true, true, false],
      index: [
        { name: 'slow', version: '1', state: 'UNAVAILABLE' },
        { name: 'tiny', version: '1', state: 'READY' },
        { name: 'wary', version: '1', state: 'UNAVAILABLE' },
      ],
    })
    expect(results['modelOfVersion']).toEqual(results['model'])
  })

  it('gets the same logits for JSON and binary tensors, with its id', () => {
    for (const [name, { id, version, values }] of Object.entries(results.logits)) {
      expect([id, version]).toEqual([`request-${name}`, '1'])
      // See make-networks.py: the weights of a cell of one colour, times its four cells, halved.
      expect(values.map((row) => row.map((value) => Math.round(value * 1e4) / 1e4))).toEqual([
        [8, -4, -4, 4],
        [-4, -4, 8, -8],
      ])
    }
    expect(results['withoutOutputs']).toEqual(results.logits['binary']!.values)
    expect(Object.keys(results.logits)).toEqual(['binary', 'json', 'mixed'])
  })

  it('gets probabilities of image files, however they are sent', () => {
    const [red, blue] = results.probabilities
    expect(red!.indexOf(Math.max(...red!))).toBe(0)
    expect(blue!.indexOf(Math.max(...blue!))).toBe(2)
    for (const row of [red!, blue!]) expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5)
    expect(results['base64']).toEqual(results.probabilities)
    expect(results['gzip']).toEqual(results.probabilities)
    expect(results['deflate']).toEqual(results.probabilities)
    expect(results['async']).toEqual(Array.from({ length: 4 }, () => results.probabilities))
  })

  it('gets the best classes as text', () => {
    const { binary, json } = results['classes'] as Record<string, string[][]>
    expect(binary).toEqual([
      [expect.stringMatching(/^0\.\d{6}:0:red$/), expect.stringMatching(/^0\.\d{6}:3:yellow$/)],
      [expect.stringMatching(/^0\.\d{6}:2:blue$/), expect.stringMatching(/^0\.\d{6}:\d:\w+$/)],
    ])
    expect(json).toEqual(binary)
  })

  it('gets errors that say what is wrong', () => {
    const { failures } = results
    expect(failures).toEqual({
      model: ['404', expect.stringMatching(/^MODEL_MISSING: /)],
      input: ['400', expect.stringMatching(/^SERVICE_TENSOR: /)],
      image: ['415', expect.stringMatching(/^IMAGE_UNSUPPORTED: /)],
      loadWithoutToken: ['401', expect.stringMatching(/^SERVICE_UNAUTHORIZED: /)],
      unloadDefault: ['409', expect.stringMatching(/^MODEL_IN_USE: /)],
      unloaded: ['404', expect.stringMatching(/^MODEL_UNLOADED: /)],
    })
  })

  it('loads and unloads a model with the token of administration', () => {
    expect([results['loaded'], results['unloaded']]).toEqual([true, false])
  })
})
