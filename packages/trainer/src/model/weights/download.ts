import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { digestFile, unlessAbsent } from '@flowers/shared/files'
import { EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { TrainerError } from '../../errors.ts'

export interface DownloadOptions {
  readonly url: string
  /** Where the file goes; what there is of it lies beside, as `.part`, until all of it has come. */
  readonly target: string
  /** Of the whole file; null where nobody has said. */
  readonly bytes: number | null
  /** Hex; null where nobody has said. */
  readonly sha256: string | null
  readonly onProgress?: (bytes: number, of: number | null) => void
  /** Abort to stop; its reason is what the promise rejects with. */
  readonly signal?: AbortSignal | undefined
}

/** Connections that brought something before they broke are followed by another. */
const connections = 20

/**
 * Gets a file and returns its sha256. What came before an interruption is kept and continued if the server still has the
 * same file (ETag, RFC 9110 If-Range). Size and hash are checked before the file gets its name. Goes through the proxy
 * of HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Throws WEIGHTS_DOWNLOAD where it cannot be had, WEIGHTS_CHANGED where it is
 * another, the system's error where it cannot be written, and the reason of an aborted signal; what came is kept then too.
 */
export async function download(options: DownloadOptions): Promise<string> {
  const { url, target, bytes, sha256 } = options
  const part = `${target}.part`
  const dispatcher = new EnvHttpProxyAgent()
  try {
    for (let attempt = 1; ; attempt++) {
      const before = await sizeOf(part)
      try {
        await receive(options, dispatcher)
        break
      } catch (error) {
        options.signal?.throwIfAborted()
        if (!(error instanceof Interrupted)) throw error
        if (attempt < connections && (await sizeOf(part)) > before) continue
        throw new TrainerError(
          'WEIGHTS_DOWNLOAD',
          `${url}: ${error.message}; the ${await sizeOf(part)} bytes that came are kept and continued next time`,
          { cause: error },
        )
      }
    }
  } finally {
    await dispatcher.close()
  }
  const { bytes: size, sha256: found } = await digestFile(part)
  const wrong =
    bytes !== null && size !== bytes
      ? `${size} bytes instead of ${bytes}`
      : sha256 !== null && found !== sha256
        ? `the sha256 ${found} instead of ${sha256}`
        : null
  await rm(`${part}.etag`, { force: true })
  if (wrong !== null) {
    await rm(part)
    throw new TrainerError('WEIGHTS_CHANGED', `${url} has ${wrong}`)
  }
  await rename(part, target)
  return found
}

/** The connection broke, or was never there. */
class Interrupted extends Error {}

/** Brings what is missing of the partial file. Throws Interrupted when the connection breaks. */
async function receive(
  { url, target, bytes, onProgress, signal }: DownloadOptions,
  dispatcher: EnvHttpProxyAgent,
): Promise<void> {
  const part = `${target}.part`
  const etag = await readFile(`${part}.etag`, 'utf8').catch(() => null)
  const had = etag === null ? 0 : await sizeOf(part)
  if (had > 0 && had === bytes) return
  const resume = had > 0 && etag !== null ? { range: `bytes=${had}-`, 'if-range': etag } : {}
  const response = await fetch(url, {
    dispatcher,
    headers: { 'accept-encoding': 'identity', ...resume },
    signal: signal ?? null,
  }).catch((error: unknown) => {
    throw new Interrupted(`cannot be reached (${reasonOf(error)})`, { cause: error })
  })
  // All of it was there already.
  if (response.status === 416) {
    await response.body?.cancel()
    await rm(`${part}.etag`, { force: true })
    throw new Interrupted('the server has no more than that')
  }
  if (!response.ok || response.body === null)
    throw new TrainerError('WEIGHTS_DOWNLOAD', `${url} answered ${response.status} ${response.statusText}`)
  const start = response.status === 206 ? had : 0
  const of = totalOf(response, start) ?? bytes
  // A weak tag does not promise the same bytes.
  const tag = response.headers.get('etag')
  if (tag !== null && !tag.startsWith('W/')) await writeFile(`${part}.etag`, tag)
  else await rm(`${part}.etag`, { force: true })

  const file = await open(part, start > 0 ? 'a' : 'w')
  try {
    let done = start
    for await (const chunk of chunksOf(response)) {
      await file.write(chunk)
      done += chunk.length
      onProgress?.(done, of)
    }
    await file.sync()
    if (of !== null && done < of) throw new Interrupted(`ended after ${done} of ${of} bytes`)
  } finally {
    await file.close()
  }
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body!) yield chunk as Uint8Array
  } catch (error) {
    throw new Interrupted(`the connection broke (${reasonOf(error)})`, { cause: error })
  }
}

function totalOf(response: Response, start: number): number | null {
  const length = response.headers.get('content-length')
  return length === null ? null : start + Number(length)
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message
}

const sizeOf = async (path: string): Promise<number> => (await unlessAbsent(stat(path)))?.size ?? 0
