import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { afterEach, describe, expect, it } from 'vitest'
import { testModels } from '../testing/service.ts'
import { warmUpFor } from './batch.ts'
import { Pool, startWorker } from './pool.ts'

interface File {
  readonly network: string
  readonly bytes: number
  readonly sha256: string
}

async function fileOf(model: string): Promise<File> {
  const path = join(testModels, model, '1/onnx/model.onnx')
  const bytes = await readFile(path)
  return { network: path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

const tiny = await fileOf('tiny')

let made: Pool | undefined

function pool(file: File, needsKnown = false): Pool {
  const preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
  const settings = { ...file, classes: 4, preprocessing, threads: 1, needsKnown, warmUp: warmUpFor(1) }
  return (made = new Pool({ createWorker: startWorker, workers: 1, settings }))
}

afterEach(async () => made?.close())

describe('worker', () => {
  it('runs the network that it was told of', async () => {
    const one = pool(tiny)
    await one.start()
    const { logits, known } = await one.run([{ values: new Float32Array(3 * 32 * 32) }])
    expect(logits[0]).toHaveLength(4)
    expect(known).toBeNull()
  })

  it('gives the output known of a run in which a view asks for it', async () => {
    const one = pool(await fileOf('wary'), true)
    await one.start()
    const grey = { values: new Float32Array(3 * 32 * 32) }
    const red = { values: new Float32Array(3 * 32 * 32).fill(2, 0, 32 * 32) }
    expect((await one.run([grey, red])).known).toBeNull()
    const { known, logits } = await one.run([grey, { ...red, known: true }])
    // The sigmoid of the distance from grey less 2: 0 and 2.
    expect(Array.from(known!, (value) => value.toFixed(4))).toEqual(['0.1192', '0.5000'])
    expect(logits).toEqual((await one.run([grey, red])).logits)
  })

  it('refuses a network without the output by which pictures are refused', async () => {
    await expect(pool(tiny, true).start()).rejects.toMatchObject({
      code: 'MODEL_OUTPUT',
      message: expect.stringMatching(/tiny.*: it has no output "known", by which its manifest refuses pictures\.$/),
    })
  })

  it.each([
    ['another content', { ...tiny, sha256: '0'.repeat(64) }, 'another sha256'],
    ['another size', { ...tiny, bytes: tiny.bytes + 1 }, `${tiny.bytes} bytes`],
    ['no file', { ...tiny, network: `${tiny.network}.none` }, 'cannot be read'],
  ])('refuses %s', async (_, file, reason) => {
    await expect(pool(file).start()).rejects.toMatchObject({
      code: 'MODEL_TAMPERED',
      message: expect.stringContaining(reason),
    })
  })
})
