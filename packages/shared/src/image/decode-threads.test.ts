import { EventEmitter } from 'node:events'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { decodeViews } from './preprocess.ts'
import { startDecoder } from './decode-threads.ts'
import type { DecodeReply, DecodeTask, DecodeThread, Decoder } from './decode-threads.ts'
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

const decoded: DecodeReply = { canvases: [], resizeSeconds: 0 }

const nameOf = ({ bytes }: DecodeTask): string => Buffer.from(bytes).toString()

/** A thread that decodes nothing and replies when the test says so. */
class FakeThread extends EventEmitter {
  task: DecodeTask | null = null

  postMessage(task: DecodeTask): void {
    this.task = task
  }

  reply(reply: DecodeReply): void {
    this.task = null
    this.emit('message', reply)
  }

  terminate(): Promise<number> {
    return Promise.resolve(0)
  }
}

describe('large pictures', () => {
  const blank = { width: 5000, height: 4000, channels: 3, background: 'red' } as const

  it('are decoded one after the other, and others meanwhile', async () => {
    const threads: FakeThread[] = []
    const createThread = (): DecodeThread => {
      const thread = new FakeThread()
      threads.push(thread)
      return thread as unknown as DecodeThread
    }
    decoder = startDecoder({ threads: 2, createThread })
    const done: string[] = []
    const ask = (name: string) =>
      decoder!.decodeViews(Buffer.from(name), preprocessing, [1]).then(() => void done.push(name))
    const all = Promise.all(['large 1', 'large 2', 'small 1', 'small 2'].map((name) => ask(name)))
    const working = () => threads.flatMap(({ task }) => (task ? [nameOf(task)] : [])).toSorted()
    const busyWith = (name: string) => threads.find(({ task }) => task && nameOf(task) === name)!

    expect(working()).toEqual(['large 1', 'large 2'])
    busyWith('large 1').reply({ large: true })
    busyWith('large 2').reply({ large: true })
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
