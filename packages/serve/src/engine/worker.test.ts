import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { afterEach, describe, expect, it } from 'vitest'
import { testModels } from '../testing/service.ts'
import { warmUpFor } from './batch.ts'
import { Pool, startWorker } from './pool.ts'

const network = join(testModels, 'tiny/1/onnx/model.onnx')
const content = await readFile(network)
const sha256 = createHash('sha256').update(content).digest('hex')

let made: Pool | undefined

function pool(file: { network: string; bytes: number; sha256: string }): Pool {
  const preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
  const settings = { ...file, classes: 4, preprocessing, threads: 1, warmUp: warmUpFor(1) }
  return (made = new Pool({ createWorker: startWorker, workers: 1, settings }))
}

afterEach(async () => made?.close())

describe('worker', () => {
  it('runs the network that it was told of', async () => {
    const one = pool({ network, bytes: content.length, sha256 })
    await one.start()
    const { logits } = await one.run([{ values: new Float32Array(3 * 32 * 32) }])
    expect(logits[0]).toHaveLength(4)
  })

  it.each([
    ['another content', { network, bytes: content.length, sha256: '0'.repeat(64) }, 'another sha256'],
    ['another size', { network, bytes: content.length + 1, sha256 }, `${content.length} bytes`],
    ['no file', { network: `${network}.none`, bytes: content.length, sha256 }, 'cannot be read'],
  ])('refuses %s', async (_, file, reason) => {
    await expect(pool(file).start()).rejects.toMatchObject({
      code: 'MODEL_TAMPERED',
      message: expect.stringContaining(reason),
    })
  })
})
