import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256, writeFileAtomic } from '@flowers/shared/files'
import { z } from 'zod'
import type { PerceptualHash } from './perceptual-hash.ts'

const schema = z.object({
  /** Counts up when inspection looks for more than before, or hashes photos in another way. */
  version: z.literal(2),
  /** Content hash to width, height and perceptual hash in base64 (null: none); the name is that of an earlier release. */
  sound: z.record(z.string(), z.tuple([z.int().positive(), z.int().positive(), z.base64().nullable()])),
})

export interface VerifiedPhoto {
  readonly width: number
  readonly height: number
  /** Undefined for a photo without structure. */
  readonly perceptualHash: PerceptualHash | undefined
}

/** Photos that decoded without a complaint, by the hash of their content, kept in a file so that they are decoded once. */
export class VerifiedPhotos {
  readonly #file: string | null
  readonly #photos: Map<string, VerifiedPhoto>
  #grown = false

  private constructor(file: string | null, photos: Map<string, VerifiedPhoto>) {
    this.#file = file
    this.#photos = photos
  }

  /** Those of a dataset by its root. A file that is missing or not of this kind holds none; null: nothing is kept. */
  static async open(folder: string | null, root: string): Promise<VerifiedPhotos> {
    if (folder === null) return new VerifiedPhotos(null, new Map())
    const name = sha256(root).slice(0, 16)
    const file = join(folder, 'photos', `${name}.json`)
    try {
      const { sound } = schema.parse(JSON.parse(await readFile(file, 'utf8')))
      const photos = Object.entries(sound).map(([sha256, [width, height, hash]]): [string, VerifiedPhoto] => [
        sha256,
        { width, height, perceptualHash: hash === null ? undefined : Buffer.from(hash, 'base64') },
      ])
      return new VerifiedPhotos(file, new Map(photos))
    } catch {
      return new VerifiedPhotos(file, new Map())
    }
  }

  get(sha256: string): VerifiedPhoto | undefined {
    return this.#photos.get(sha256)
  }

  add(sha256: string, photo: VerifiedPhoto): void {
    this.#photos.set(sha256, photo)
    this.#grown = true
  }

  /** Writes what was added. Where the file cannot be written, nothing is kept. */
  async save(): Promise<void> {
    if (this.#file === null || !this.#grown) return
    const sound = Object.fromEntries(
      [...this.#photos].map(([sha256, { width, height, perceptualHash }]) => [
        sha256,
        [width, height, perceptualHash ? Buffer.from(perceptualHash).toString('base64') : null],
      ]),
    )
    try {
      await mkdir(dirname(this.#file), { recursive: true })
      await writeFileAtomic(this.#file, JSON.stringify({ version: 2, sound }))
      this.#grown = false
    } catch {
      return
    }
  }
}
