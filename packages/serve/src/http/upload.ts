import multipart from '@fastify/multipart'
import { FlowersError } from '@flowers/shared/errors'
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify'
import { ClientGone } from '../service-error.ts'
import { untilOver } from './deadline.ts'
import type { UploadMemory } from './upload-memory.ts'

export interface BodyLimits {
  /** Bytes that the images of one request may have together. */
  readonly bytes: number
  /** What all requests may hold; null for small bodies, outside of {@link limitBodies}. */
  readonly memory: UploadMemory | null
}

export interface UploadLimits extends BodyLimits {
  /** Images of one multipart request. */
  readonly images: number
}

/** The images of a request. `several`: the client sent a list, and is answered with one. */
export interface Upload {
  readonly images: Buffer[]
  readonly several: boolean
}

/** The multipart field that holds images. */
const field = 'img'

/** What multipart framing adds to the images: boundaries and headers of parts. */
const framingBytes = 64 * 1024

/**
 * Lets the routes of this scope take `multipart/form-data`, and bodies of any other type or none: what they are, their
 * content tells. The body is left to {@link readImages}, which holds the limits for all of them.
 */
export async function installUpload(app: FastifyInstance, limits: UploadLimits): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request: FastifyRequest, _payload, done) => done(null))
  await app.register(multipart, { throwFileSizeLimit: true })
  limitBodies(app, limits)
}

/** Refuses what is announced to be too large before it is sent, and counts what is held of the rest. */
function limitBodies(app: FastifyInstance, limits: BodyLimits): void {
  limits.memory?.install(app)
  app.addHook('onRequest', (request, _reply, done) => {
    const length = Number(request.headers['content-length'] ?? 0)
    done(length > limits.bytes + framingBytes ? tooManyBytes(limits) : undefined)
  })
}

/**
 * Reads the whole body: the parts of the field `img`, or one image as it is. Nothing is ever cut off silently.
 * Rejects with SERVICE_NO_IMAGE, SERVICE_TOO_LARGE, SERVICE_OVERLOADED, SERVICE_MALFORMED, SERVICE_PARAMETER (another
 * field), or as the request does that is over.
 */
export async function readImages(request: FastifyRequest, limits: UploadLimits): Promise<Upload> {
  if (!request.isMultipart()) {
    const image = await readBody(request, limits)
    if (image.length === 0) throw new FlowersError('SERVICE_NO_IMAGE', 'The body of the request is empty.')
    return { images: [image], several: false }
  }
  const upload = await toItsEnd(request, limits, readParts(request, limits))
  if (upload.images.length === 0) throw new FlowersError('SERVICE_NO_IMAGE', `There is no field ${field} in the form.`)
  return upload
}

/** Reads the whole body as it is. Rejects with SERVICE_TOO_LARGE, SERVICE_OVERLOADED, or as the request that is over. */
export function readBody(request: FastifyRequest, limits: BodyLimits): Promise<Buffer> {
  return toItsEnd(request, limits, collect(request, limits))
}

/** What `reading` gives, unless too much is held or the request is over first: then nothing is kept of its body. */
async function toItsEnd<T>(request: FastifyRequest, { memory }: BodyLimits, reading: Promise<T>): Promise<T> {
  const { raw } = request
  const counting = memory?.counting(request)
  try {
    return await (counting ? untilOver(request, Promise.race([reading, counting.exceeded])) : reading)
  } catch (error) {
    // Nothing more is kept. A body that is not read to its end would block the connection for the next request.
    raw.unpipe()
    raw.removeAllListeners('data')
    raw.resume()
    throw raw.destroyed && !raw.complete ? new ClientGone() : error
  } finally {
    counting?.end()
  }
}

async function readParts(request: FastifyRequest, limits: UploadLimits): Promise<Upload> {
  const images: Buffer[] = []
  let bytes = 0
  try {
    const parts = request.parts({ limits: { fileSize: limits.bytes, files: limits.images, parts: limits.images + 1 } })
    for await (const part of parts) {
      if (part.fieldname !== field) {
        throw new FlowersError(
          'SERVICE_PARAMETER',
          `The form has a field ${JSON.stringify(part.fieldname)}; images are sent as ${field}.`,
        )
      }
      if (part.type !== 'file') {
        throw new FlowersError(
          'SERVICE_NO_IMAGE',
          `The field ${field} holds text, not a file (curl -F img=@rose.jpg, with the @).`,
        )
      }
      const content = await part.toBuffer()
      bytes += content.length
      if (part.file.truncated || bytes > limits.bytes) throw tooManyBytes(limits)
      images.push(content)
    }
  } catch (error) {
    throw multipartError(error, limits)
  }
  return { images, several: images.length > 1 }
}

/** What the parser throws, as an error of the catalogue. */
function multipartError(error: unknown, limits: UploadLimits): unknown {
  if (error instanceof FlowersError || !(error instanceof Error)) return error
  const { code } = error as Partial<FastifyError>
  if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return new FlowersError('SERVICE_TOO_LARGE', `The form has more than ${limits.images} images.`, { cause: error })
  }
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooManyBytes(limits)
  return new FlowersError('SERVICE_MALFORMED', `The form cannot be read: ${error.message}`, { cause: error })
}

function collect({ raw }: FastifyRequest, limits: Pick<BodyLimits, 'bytes'>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    raw.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.bytes) reject(tooManyBytes(limits))
      else chunks.push(chunk)
    })
    raw.once('end', () => resolve(Buffer.concat(chunks, bytes)))
    raw.once('error', reject)
    raw.once('close', () => reject(new ClientGone()))
  })
}

function tooManyBytes(limits: Pick<BodyLimits, 'bytes'>): FlowersError {
  return new FlowersError('SERVICE_TOO_LARGE', `The images of a request may have ${limits.bytes / 1e6} MB together.`)
}
