import type { RgbImage } from '@flowers/shared/resample'

/**
 * Decoded pixels of small photos, kept from epoch to epoch under a budget. When the budget is spent nothing is
 * evicted: every photo is asked for once an epoch, and for such a scan the photos that came first are as good as any.
 */
export class PhotoCache {
  readonly budget: number
  #used = 0
  readonly #photos = new Map<string, RgbImage>()
  readonly #sizes = new Map<string, { readonly width: number; readonly height: number }>()

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

  /** Upright width and height, where the header was read before. */
  size(path: string): { readonly width: number; readonly height: number } | undefined {
    return this.#photos.get(path) ?? this.#sizes.get(path)
  }

  keepSize(path: string, size: { readonly width: number; readonly height: number }): void {
    this.#sizes.set(path, size)
  }
}
