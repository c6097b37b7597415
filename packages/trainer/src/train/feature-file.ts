import { open, type FileHandle } from 'node:fs/promises'
import { exists } from '@flowers/shared/files'
import { scalesOf, type View } from '@flowers/shared/image/view'
import { readSafetensorsHeader, streamSafetensors } from '../model/weights/safetensors.ts'
import { TrainerError } from '../errors.ts'

/** The photos and views whose features a file holds. */
export interface FeatureSource {
  readonly photos: number
  readonly views: readonly View[]
  /** Values of one feature vector. */
  readonly width: number
  /** A text that differs whenever the features would differ. */
  readonly key: string
  /** The features of all photos in their order at one scale, flip by flip for each photo, in pieces of any length. */
  readonly compute: (scale: number, flips: readonly View['flip'][]) => AsyncIterable<Float32Array>
}

/** A feature vector of the file, by the places of photo and view. */
export interface FeaturePlace {
  readonly photo: number
  readonly view: number
}

/** Byte of a view's first vector, and bytes from one photo to the next. */
interface ViewPlace {
  readonly start: number
  readonly stride: number
}

const flipsAt = (views: readonly View[], scale: number): View['flip'][] =>
  views.filter((view) => view.scale === scale).map(({ flip }) => flip)

/**
 * Feature vectors of photos, float32, one for each view, as a safetensors file with a tensor [photos, flips, width] for
 * each scale. They stay on the disk (`4 * photos * views * width` bytes) and are read row by row, so memory is no limit.
 */
export class FeatureFile {
  readonly width: number
  readonly views: readonly View[]
  readonly #file: FileHandle
  readonly #places: readonly ViewPlace[]

  private constructor(file: FileHandle, { width, views }: FeatureSource, places: readonly ViewPlace[]) {
    this.#file = file
    this.width = width
    this.views = views
    this.#places = places
  }

  /** Opens the file if it holds these features, else computes it; a file that is not whole never gets its name. */
  static async open(path: string, source: FeatureSource): Promise<FeatureFile> {
    const { photos, views, width, key, compute } = source
    const scales = scalesOf(views)
    if (!(await isOf(path, key))) {
      const shapes = new Map(scales.map((scale) => [nameOf(scale), [photos, flipsAt(views, scale).length, width]]))
      async function* pieces(): AsyncGenerator<Float32Array> {
        for (const scale of scales) yield* compute(scale, flipsAt(views, scale))
      }
      await streamSafetensors(path, shapes, pieces(), { key })
    }
    const { entries, dataStart } = await readSafetensorsHeader(path)
    const places = views.map(({ scale, flip }) => {
      const flips = flipsAt(views, scale)
      const bytes = 4 * width
      const start = dataStart + entries.get(nameOf(scale))!.offsets[0] + flips.indexOf(flip) * bytes
      return { start, stride: flips.length * bytes }
    })
    return new FeatureFile(await open(path, 'r'), source, places)
  }

  /** The vectors at these places, one after the other. */
  async read(places: readonly FeaturePlace[]): Promise<Float32Array> {
    const { width } = this
    const values = new Float32Array(places.length * width)
    const bytes = new Uint8Array(values.buffer)
    for (const [index, { photo, view }] of places.entries()) {
      const { start, stride } = this.#places[view]!
      const { bytesRead } = await this.#file.read(bytes, index * width * 4, width * 4, start + photo * stride)
      if (bytesRead !== width * 4) throw new Error(`the features of photo ${photo} end after ${bytesRead} bytes`)
    }
    return values
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

const nameOf = (scale: number): string => `scale ${scale}`

/** A file that was cut is made anew like one of other features. */
async function isOf(path: string, key: string): Promise<boolean> {
  if (!(await exists(path))) return false
  const header = await readSafetensorsHeader(path).catch((error: unknown) => {
    if (error instanceof TrainerError && error.code === 'MODEL_SAFETENSORS_INVALID') return null
    throw error
  })
  return header?.metadata['key'] === key
}
