import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { unpackerOf } from './unpack.ts'

const forever = new AbortController().signal
const code = (name: string): unknown => expect.objectContaining({ code: name })

describe('a body that is packed', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['GZIP', gzipSync],
  ])('as %s is counted as it is unpacked', async (coding, pack) => {
    const body = Buffer.alloc(3e6, 'flower')
    let held = 0
    const hold = (bytes: number): void => void (held += bytes)
    const unpacked = await unpackerOf(coding)(pack(body), { bytes: 3e6, hold, signal: forever })
    expect(unpacked.equals(body)).toBe(true)
    expect(held).toBe(3e6)
  })

  it('is counted no further than it is let', async () => {
    let held = 0
    const hold = (bytes: number): void => {
      held += bytes
      if (held > 1e6) throw new Error('full')
    }
    const unpacking = unpackerOf('gzip')(gzipSync(Buffer.alloc(30e6)), { bytes: 32e6, hold, signal: forever })
    await expect(unpacking).rejects.toThrow('full')
    expect(held).toBeLessThan(2e6)
  })

  it('is refused where it is too large, broken or cut off, and dropped when nobody waits for it', async () => {
    const room = { bytes: 1e6, hold: () => {}, signal: forever }
    const packed = gzipSync(Buffer.alloc(2e6, 'flower'))
    await expect(unpackerOf('gzip')(packed, room)).rejects.toEqual(code('SERVICE_TOO_LARGE'))
    await expect(unpackerOf('deflate')(packed, room)).rejects.toEqual(code('SERVICE_TENSOR'))
    const cut = packed.subarray(0, packed.length - 9)
    await expect(unpackerOf('gzip')(cut, { ...room, bytes: 3e6 })).rejects.toEqual(code('SERVICE_TENSOR'))
    const signal = AbortSignal.abort(new Error('gone'))
    await expect(unpackerOf('gzip')(packed, { ...room, signal })).rejects.toThrow('gone')
  })

  it('as nothing else is taken', () => {
    for (const coding of ['br', 'constructor']) expect(() => unpackerOf(coding)).toThrow(code('SERVICE_MEDIA_TYPE'))
  })

  it('as nothing is what it is', async () => {
    const body = Buffer.from('{}')
    const hold = (): never => expect.fail('nothing more is held')
    expect(await unpackerOf(undefined)(body, { bytes: 2, hold, signal: forever })).toBe(body)
  })
})
