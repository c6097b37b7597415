import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '@flowers/shared/files'
import { z } from 'zod'
import type { Look } from './perceptual-hash.ts'

const schema = z.object({
  /** Counts up when inspection looks for more than before, or takes looks in another way. */
  version: z.literal(2),
  /** Content hash to width, height and look in base64 (null: none), of photos that decoded without a complaint. */
  sound: z.record(z.string(), z.tuple([z.int().positive(), z.int().positive(), z.base64().nullable()])),
})

export interface SoundPhoto {
  readonly width: number
  readonly height: number
  /** Undefined for a photo without structure. */
  readonly look: Look | undefined
}

/** Photos that were found sound, by the hash of their content, kept in a file so that they are decoded once. */
export class SoundPhotos {
  readonly #file: string | null
  readonly #photos: Map<string, SoundPhoto>
  #grown = false

  private constructor(file: string | null, photos: Map<string, SoundPhoto>) {
    this.#file = file
    this.#photos = photos
  }

  /** Those of a dataset by its root. A file that is missing or not of this kind holds none; null: nothing is kept. */
  static async open(folder: string | null, root: string): Promise<SoundPhotos> {
    if (folder === null) return new SoundPhotos(null, new Map())
    const name = createHash('sha256').update(root).digest('hex').slice(0, 16)
    const file = join(folder, 'photos', `${name}.json`)
    try {
      const { sound } = schema.parse(JSON.parse(await readFile(file, 'utf8')))
      const photos = Object.entries(sound).map(([sha256, [width, height, look]]): [string, SoundPhoto] => [
        sha256,
        { width, height, look: look === null ? undefined : Buffer.from(look, 'base64') },
      ])
      return new SoundPhotos(file, new Map(photos))
    } catch {
      return new SoundPhotos(file, new Map())
    }
  }

  get(sha256: string): SoundPhoto | undefined {
    return this.#photos.get(sha256)
  }

  add(sha256: string, photo: SoundPhoto): void {
    this.#photos.set(sha256, photo)
    this.#grown = true
  }

  /** Writes what was added. A cache that cannot be written is done without. */
  async save(): Promise<void> {
    if (this.#file === null || !this.#grown) return
    const sound = Object.fromEntries(
      [...this.#photos].map(([sha256, { width, height, look }]) => [
        sha256,
        [width, height, look ? Buffer.from(look).toString('base64') : null],
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
