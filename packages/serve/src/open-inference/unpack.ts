import { createGunzip, createInflate, type Gunzip, type Inflate, type ZlibOptions } from 'node:zlib'
import { misfit } from './request.ts'
import { ServiceError } from '../errors.ts'

/** What may be unpacked. */
export interface UnpackLimits {
  /** Bytes that a body may have unpacked. */
  readonly bytes: number
  /** Called with the bytes that are held more, before they are kept; what it throws ends the unpacking. */
  readonly hold: (bytes: number) => void
  /** Its reason ends the unpacking. */
  readonly signal: AbortSignal
}

type Unpacker = (body: Buffer, limits: UnpackLimits) => Promise<Buffer>

const streams: Readonly<Record<string, (options: ZlibOptions) => Gunzip | Inflate>> = {
  gzip: createGunzip,
  deflate: createInflate,
}

/** Above the size from which on glibc gives freed memory back. */
const chunkSize = 256 * 1024

/**
 * How a body is unpacked that may be compressed. Throws SERVICE_MEDIA_TYPE for an unknown coding; the unpacker rejects
 * with SERVICE_TOO_LARGE before a body is whole that has too many bytes, with SERVICE_TENSOR for one that is broken.
 */
export function unpackerOf(encoding = 'identity'): Unpacker {
  const coding = encoding.toLowerCase()
  if (coding === 'identity') return (body) => Promise.resolve(body)
  const stream = Object.hasOwn(streams, coding) ? streams[coding] : undefined
  if (!stream) {
    const known = ['identity', ...Object.keys(streams)].join(', ')
    throw new ServiceError('SERVICE_MEDIA_TYPE', `The body is encoded as ${encoding}; there are: ${known}.`)
  }
  return (body, limits) => unpack(stream({ chunkSize }), body, limits, encoding)
}

async function unpack(stream: Gunzip | Inflate, body: Buffer, limits: UnpackLimits, encoding: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    stream.end(body)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      limits.signal.throwIfAborted()
      bytes += chunk.length
      if (bytes > limits.bytes) {
        throw new ServiceError('SERVICE_TOO_LARGE', `The body has more than ${limits.bytes / 1e6} MB unpacked.`)
      }
      limits.hold(chunk.length)
      chunks.push(chunk)
    }
  } catch (error) {
    const isBroken = error instanceof Error && (error as NodeJS.ErrnoException).code?.startsWith('Z_')
    throw isBroken ? misfit(`The body is not ${encoding}.`, { cause: error }) : error
  }
  return Buffer.concat(chunks, bytes)
}
