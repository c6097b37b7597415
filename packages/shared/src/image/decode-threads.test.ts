import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { decodeViews } from './preprocess.ts'
import { startDecoder, type DecodeReply, type DecodeTask, type Decoder } from './decode-threads.ts'
import { FakeThread } from '../testing/fake-thread.ts'
import { imagenetNormalization, type Preprocessing } from './preprocessing.ts'

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

let decoder: Decoder | undefined
afterEach(() => decoder?.close())

describe('startDecoder', () => {
  it('gives what decodeViews gives, for more pictures than threads', async () => {
    decoder = startDecoder({ threads: 2 })
    const expected = await decodeViews(photo, preprocessing, [1, 1.15])
    const results = await Promise.all(
      Array.from({ length: 7 }, () => decoder!.decodeViews(photo, preprocessing, [1, 1.15])),
    )
    for (const { canvases, resizeSeconds } of results) {
      expect(canvases).toEqual(expected)
      // Other threads read them without a copy.
      for (const { pixels } of canvases) expect(pixels.buffer).toBeInstanceOf(SharedArrayBuffer)
      expect(resizeSeconds).toBeGreaterThan(0)
    }
    expect(photo.length).toBeGreaterThan(0)
  })

  it('passes errors on with their code', async () => {
    decoder = startDecoder({ threads: 1 })
    await expect(decoder.decodeViews(Buffer.from('rose'), preprocessing, [1])).rejects.toMatchObject({
      code: 'IMAGE_UNSUPPORTED',
    })
    const small = { limits: { megapixels: 0.01 } }
    await expect(decoder.decodeViews(photo, preprocessing, [1], small)).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
    })
    expect((await decoder.decodeViews(photo, preprocessing, [1])).canvases).toHaveLength(1)
  })

  it('lets go of a picture that is aborted while it waits', async () => {
    decoder = startDecoder({ threads: 1 })
    const first = decoder.decodeViews(photo, preprocessing, [1])
    const abort = new AbortController()
    const second = decoder.decodeViews(photo, preprocessing, [1], { signal: abort.signal })
    expect(decoder.waiting()).toBe(1)
    abort.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    expect(decoder.waiting()).toBe(0)
    expect((await first).canvases).toHaveLength(1)
    await expect(decoder.decodeViews(photo, preprocessing, [1], { signal: abort.signal })).rejects.toThrow('gone')
  })

  it('rejects what is under way and waiting when it closes', async () => {
    decoder = startDecoder({ threads: 1 })
    const pictures = [1, 2, 3].map(() => decoder!.decodeViews(photo, preprocessing, [1]))
    const settled = Promise.allSettled(pictures)
    await decoder.close()
    expect((await settled).map(({ status }) => status)).toContain('rejected')
    await expect(decoder.decodeViews(photo, preprocessing, [1])).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})

describe('a picture', () => {
  it('that nobody waits for any more is told so to its thread', async () => {
    const thread = new FakeThread()
    decoder = startDecoder({ threads: 1, createThread: () => thread })
    const abort = new AbortController()
    const asked = decoder.decodeViews(photo, preprocessing, [1], { signal: abort.signal })
    const { abandoned } = thread.task as DecodeTask
    expect(abandoned[0]).toBe(0)
    abort.abort(new Error('gone'))
    expect(abandoned[0]).toBe(1)
    await expect(asked).rejects.toThrow('gone')
  })

  it('that stops two threads is refused', async () => {
    const thread = (): FakeThread => new FakeThread((_, self) => queueMicrotask(() => self.die(new Error('hit'))))
    decoder = startDecoder({ threads: 2, createThread: thread })
    const asked = decoder.decodeViews(photo, preprocessing, [1])
    await expect(asked).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('Error: hit') })
  })
})

const decoded: DecodeReply = { canvases: [], resizeSeconds: 0 }

const nameOf = (task: unknown): string => Buffer.from((task as DecodeTask).bytes).toString()

describe('large pictures', () => {
  const blank = { width: 5000, height: 4000, channels: 3, background: 'red' } as const

  it('are decoded one after the other, and others meanwhile', async () => {
    const threads: FakeThread[] = []
    const createThread = (): FakeThread => {
      threads.push(new FakeThread())
      return threads.at(-1)!
    }
    decoder = startDecoder({ threads: 2, createThread })
    const done: string[] = []
    const ask = (name: string) =>
      decoder!.decodeViews(Buffer.from(name), preprocessing, [1]).then(() => void done.push(name))
    const all = Promise.all(['large 1', 'large 2', 'small 1', 'small 2'].map((name) => ask(name)))
    const working = () => threads.flatMap(({ task }) => (task ? [nameOf(task)] : [])).toSorted()
    const busyWith = (name: string) => threads.find(({ task }) => task && nameOf(task) === name)!

    expect(working()).toEqual(['large 1', 'large 2'])
    busyWith('large 1').reply('large')
    busyWith('large 2').reply('large')
    // One of the large pictures is being decoded now; the other waits although it came before the small ones.
    expect(working()).toEqual(['large 1', 'small 1'])
    busyWith('small 1').reply(decoded)
    expect(working()).toEqual(['large 1', 'small 2'])
    busyWith('small 2').reply(decoded)
    expect(working()).toEqual(['large 1'])
    busyWith('large 1').reply(decoded)
    expect(working()).toEqual(['large 2'])
    busyWith('large 2').reply(decoded)
    await all
    expect(done).toEqual(['small 1', 'small 2', 'large 1', 'large 2'])
  })

  it('are refused past their time, and the thread goes on', async () => {
    const large = await sharp({ create: blank }).png().toBuffer()
    decoder = startDecoder({ threads: 1 })
    const limits = { megapixels: 64, seconds: 0.001 }
    await expect(decoder.decodeViews(large, preprocessing, [1], { limits })).rejects.toMatchObject({
      code: 'IMAGE_SLOW',
    })
    expect((await decoder.decodeViews(photo, preprocessing, [1])).canvases).toHaveLength(1)
  })
})
