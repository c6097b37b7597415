import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { decodeViews } from './preprocess.ts'
import { startPreprocessor } from './decode-threads.ts'
import type { Preprocessor } from './decode-threads.ts'
import { imagenetNormalization } from './preprocessing.ts'
import type { Preprocessing } from './preprocessing.ts'

const preprocessing: Preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization }
const photo = await sharp({
  create: {
    width: 200,
    height: 150,
    channels: 3,
    background: 'red',
    noise: { type: 'gaussian', mean: 120, sigma: 60 },
  },
})
  .jpeg()
  .toBuffer()

let preprocessor: Preprocessor | undefined
afterEach(() => preprocessor?.close())

describe('startPreprocessor', () => {
  it('gives what decodeViews gives, for more pictures than threads', async () => {
    preprocessor = startPreprocessor({ threads: 2 })
    const expected = await decodeViews(photo, preprocessing, [1, 1.15])
    const results = await Promise.all(
      Array.from({ length: 7 }, () => preprocessor!.decodeViews(photo, preprocessing, [1, 1.15])),
    )
    for (const { canvases, resizeSeconds } of results) {
      expect(canvases).toEqual(expected)
      expect(resizeSeconds).toBeGreaterThan(0)
    }
    expect(photo.length).toBeGreaterThan(0)
  })

  it('passes errors on with their code', async () => {
    preprocessor = startPreprocessor({ threads: 1 })
    await expect(preprocessor.decodeViews(Buffer.from('rose'), preprocessing, [1])).rejects.toMatchObject({
      code: 'IMAGE_UNSUPPORTED',
    })
    const small = { limits: { megapixels: 0.01 } }
    await expect(preprocessor.decodeViews(photo, preprocessing, [1], small)).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
    })
    expect((await preprocessor.decodeViews(photo, preprocessing, [1])).canvases).toHaveLength(1)
  })

  it('lets go of a picture that is aborted while it waits', async () => {
    preprocessor = startPreprocessor({ threads: 1 })
    const first = preprocessor.decodeViews(photo, preprocessing, [1])
    const abort = new AbortController()
    const second = preprocessor.decodeViews(photo, preprocessing, [1], { signal: abort.signal })
    expect(preprocessor.waiting()).toBe(1)
    abort.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    expect(preprocessor.waiting()).toBe(0)
    expect((await first).canvases).toHaveLength(1)
    await expect(preprocessor.decodeViews(photo, preprocessing, [1], { signal: abort.signal })).rejects.toThrow('gone')
  })

  it('rejects what is under way and waiting when it closes', async () => {
    preprocessor = startPreprocessor({ threads: 1 })
    const pictures = [1, 2, 3].map(() => preprocessor!.decodeViews(photo, preprocessing, [1]))
    const settled = Promise.allSettled(pictures)
    await preprocessor.close()
    expect((await settled).map(({ status }) => status)).toContain('rejected')
    await expect(preprocessor.decodeViews(photo, preprocessing, [1])).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})

describe('large pictures', () => {
  const blank = { width: 5000, height: 4000, channels: 3, background: 'red' } as const

  it('are decoded one after the other, and others meanwhile', async () => {
    const large = await sharp({ create: blank }).jpeg().toBuffer()
    preprocessor = startPreprocessor({ threads: 2 })
    const order: string[] = []
    const ask = (name: string, bytes: Buffer): Promise<unknown> =>
      preprocessor!.decodeViews(bytes, preprocessing, [1]).then(() => order.push(name))
    await ask('warm', photo)
    await Promise.all([
      ask('large', large),
      ask('large', large),
      ...Array.from({ length: 4 }, () => ask('small', photo)),
    ])
    expect(order).toEqual(['warm', 'small', 'small', 'small', 'small', 'large', 'large'])
  })

  it('are refused past their time, and the thread goes on', async () => {
    const large = await sharp({ create: blank }).png().toBuffer()
    preprocessor = startPreprocessor({ threads: 1 })
    const limits = { megapixels: 64, seconds: 0.001 }
    await expect(preprocessor.decodeViews(large, preprocessing, [1], { limits })).rejects.toMatchObject({
      code: 'IMAGE_SLOW',
    })
    expect((await preprocessor.decodeViews(photo, preprocessing, [1])).canvases).toHaveLength(1)
  })
})
