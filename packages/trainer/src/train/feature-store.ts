import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256 } from '@flowers/shared/files'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../model/weights/safetensors.ts'
import { rowsOf } from './validate.ts'

const tensor = 'features'

/** Where features belong. */
interface StorePlace {
  /** Of everything that is remembered; null: nothing is. */
  readonly cache: string | null
  /** The folder that holds the photos; absolute. */
  readonly root: string
  /** A text that differs whenever the features would differ. */
  readonly key: string
  /** Values of one feature vector. */
  readonly width: number
}

/**
 * Feature vectors of photos by the hash of their content, remembered in a file for each folder of photos and network, so
 * that only new photos are computed; 4 * `width` bytes a photo.
 */
export class FeatureStore {
  readonly #file: string | null
  readonly #place: StorePlace
  readonly #vectors: Map<string, Float32Array>
  #grown = false

  private constructor(place: StorePlace, file: string | null, vectors: Map<string, Float32Array>) {
    this.#place = place
    this.#file = file
    this.#vectors = vectors
  }

  /** A file that is missing, damaged or of other features holds none. */
  static async open(place: StorePlace): Promise<FeatureStore> {
    const { cache, root, key } = place
    if (cache === null) return new FeatureStore(place, null, new Map())
    const file = join(cache, 'features', `${sha256(JSON.stringify([root, key])).slice(0, 16)}.safetensors`)
    return new FeatureStore(place, file, await vectorsOf(file, place).catch(() => new Map<string, Float32Array>()))
  }

  get(hash: string): Float32Array | undefined {
    return this.#vectors.get(hash)
  }

  add(hash: string, vector: Float32Array): void {
    this.#vectors.set(hash, vector)
    this.#grown = true
  }

  /** Writes what was added. Where the file cannot be written, nothing is kept. */
  async save(): Promise<void> {
    if (this.#file === null || !this.#grown) return
    const { key, width } = this.#place
    const data = new Float32Array(this.#vectors.size * width)
    ;[...this.#vectors.values()].forEach((vector, row) => data.set(vector, row * width))
    const photos = [...this.#vectors.keys()].join(' ')
    try {
      await mkdir(dirname(this.#file), { recursive: true })
      const shape = [this.#vectors.size, width]
      await writeSafetensors(this.#file, new Map([[tensor, { shape, data }]]), { key, photos })
      this.#grown = false
    } catch {
      return
    }
  }
}

async function vectorsOf(file: string, { key, width }: StorePlace): Promise<Map<string, Float32Array>> {
  const { metadata } = await readSafetensorsHeader(file)
  const hashes = metadata['photos']?.split(' ') ?? []
  const data = (await readSafetensors(file)).get(tensor)?.data
  const fits = metadata['key'] === key && data instanceof Float32Array && data.length === hashes.length * width
  if (!fits) return new Map()
  const rows = rowsOf(data, hashes.length)
  return new Map(hashes.map((hash, row) => [hash, rows[row]!]))
}
