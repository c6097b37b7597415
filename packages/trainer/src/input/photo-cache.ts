import type { RgbImage } from '@flowers/shared/image/resample'

export interface PhotoSize {
  /** Upright. */
  readonly width: number
  readonly height: number
  /** 16 bits a channel with a colour profile. */
  readonly deepProfile: boolean
}

/**
 * Decoded pixels of small photos, kept from epoch to epoch under a budget. When the budget is spent nothing is
 * evicted: every photo is asked for once an epoch, and for such a scan the photos that came first are as good as any.
 */
export class PhotoCache {
  readonly budget: number
  #used = 0
  readonly #photos = new Map<string, RgbImage>()
  readonly #sizes = new Map<string, PhotoSize>()

  /** `budget` in bytes of pixels. 0 keeps none. */
  constructor(budget = 512 * 2 ** 20) {
    this.budget = budget
  }

  get used(): number {
    return this.#used
  }

  photo(path: string): RgbImage | undefined {
    return this.#photos.get(path)
  }

  keep(path: string, photo: RgbImage): void {
    if (this.#photos.has(path) || this.#used + photo.pixels.length > this.budget) return
    this.#photos.set(path, photo)
    this.#used += photo.pixels.length
  }

  /** Of a large photo whose header was read before. */
  size(path: string): PhotoSize | undefined {
    return this.#sizes.get(path)
  }

  keepSize(path: string, size: PhotoSize): void {
    this.#sizes.set(path, size)
  }
}
