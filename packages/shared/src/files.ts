import { createHash, randomUUID } from 'node:crypto'
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync } from 'node:fs'
import { open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { atExit } from './at-exit.ts'

/**
 * Writes a file so that a reader sees either the old content or the new one, never a part: temporary name beside
 * the target, flush to disk, rename. Rejects with the system's error and leaves the target as it was. Content too
 * large for one array is given as pieces in order.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  await withTemporary(`${path}.${randomUUID()}.tmp`, async (temporary) => {
    closeSync(openSync(temporary, 'wx'))
    const file = await open(temporary, 'r+')
    try {
      await writeFile(file, content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  })
}

/**
 * Work with a file or folder of this path, of which nothing is left after it, nor when the process ends before. It has to
 * be made by a synchronous call: another may still be under way when the process ends.
 */
export async function withTemporary<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  // What is being written in another thread at that moment may appear meanwhile.
  const done = atExit(() => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 }))
  try {
    return await work(path)
  } finally {
    await rm(path, { recursive: true, force: true })
    done()
  }
}

/** The same with a new folder whose name begins so. */
export const withTemporaryFolder = <T>(prefix: string, work: (path: string) => Promise<T>): Promise<T> =>
  withTemporary(mkdtempSync(prefix), work)

/** What a promise gives, or undefined where the system says that there is no such file. Other errors stay errors. */
export const unlessAbsent = <T>(reading: Promise<T>): Promise<T | undefined> =>
  reading.catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  })

/** Whether there is a file or folder. Rejects with the system's error where that cannot be found out. */
export const exists = async (path: string): Promise<boolean> => (await unlessAbsent(stat(path))) !== undefined

/** SHA-256 of bytes or text, in hex. */
export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Size of a file and the SHA-256 of its content, in hex. */
export interface FileDigest {
  readonly sha256: string
  readonly bytes: number
}

/** Reads a file of any size piece by piece. Rejects with the system's error. */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { sha256: hash.digest('hex'), bytes }
}
