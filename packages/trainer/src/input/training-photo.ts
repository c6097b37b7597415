import { readFile } from 'node:fs/promises'
import { alphaBackground, decodeImage } from '@flowers/shared/image/decode'
import { resample, type Kernel, type RgbImage } from '@flowers/shared/image/resample'
import sharp, { type Sharp } from 'sharp'
import { cropWindow, wholePixels, type CropOptions, type Window } from './crop.ts'
import type { PhotoCache, PhotoSize } from './photo-cache.ts'
import type { Random } from '@flowers/shared/random'

/** Up to this many bytes of decoded pixels a photo is small: decoded whole, resampled here, worth caching. */
const smallPhotoBytes = 200_000

const sharpKernels = { bilinear: 'linear', bicubic: 'cubic', lanczos3: 'lanczos3' } as const satisfies Record<
  Kernel,
  string
>

// As in evaluation: stray bytes are common in photos that every viewer shows, truncation is an error.
const inputOptions = { failOn: 'error', limitInputPixels: false, pages: 1 } as const

export interface Cut {
  readonly crop: CropOptions
  readonly size: number
  readonly kernel: Kernel
}

/**
 * Cuts one training square out of a photo and writes it to `out` at `offset`, `size` x `size` x 3. The photo is
 * upright, sRGB, without alpha, as in evaluation. Which way the pixels take depends on the photo's size alone, never on
 * the state of the cache. Rejects with the error of the file system or the decoder.
 */
export async function cutTrainingPhoto(
  path: string,
  cut: Cut,
  random: Random,
  cache: PhotoCache,
  out: Uint8Array,
  offset: number,
): Promise<void> {
  const { crop, size } = cut
  const known = cache.photo(path)
  if (known) {
    out.set(cutSmall(known, cut, random), offset)
    return
  }
  const bytes = await readFile(path)
  const { width, height, deepProfile } = cache.size(path) ?? (await readHeader(bytes))
  if (width * height * 3 <= smallPhotoBytes) {
    const photo = await decodeImage(bytes)
    cache.keep(path, photo)
    out.set(cutSmall(photo, cut, random), offset)
    return
  }
  cache.keepSize(path, { width, height, deepProfile })
  const window = wholePixels(cropWindow(crop, width, height, size, random), width, height)
  const pipeline = cutLarge(sharp(bytes, inputOptions).autoOrient(), window, { width, height }, cut)
    .flatten({ background: alphaBackground })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
  // As in evaluation: from 16 bits with a profile, sharp comes back from Display P3 only when told.
  if (deepProfile) pipeline.withIccProfile('srgb')
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true })
  copyRgb(data, info.channels, out, offset, size * size)
}

/** From this factor on decoders can skip work, but only if the whole photo is resized. */
const shrinkOnLoad = 4

function cutLarge(
  photo: Sharp,
  window: Window,
  whole: { width: number; height: number },
  { size, kernel }: Cut,
): Sharp {
  const filter = { fit: 'fill', kernel: sharpKernels[kernel], fastShrinkOnLoad: false } as const
  if (Math.min(window.width, window.height) < shrinkOnLoad * size) {
    return photo.extract(window).resize(size, size, filter)
  }
  // Resize first, then cut: libvips only works on what is cut. The window moves by less than half a target pixel.
  const across = size / window.width
  const down = size / window.height
  const width = Math.max(size, Math.round(whole.width * across))
  const height = Math.max(size, Math.round(whole.height * down))
  const left = Math.min(width - size, Math.round(window.left * across))
  const top = Math.min(height - size, Math.round(window.top * down))
  return photo.resize(width, height, filter).extract({ left, top, width: size, height: size })
}

function cutSmall(photo: RgbImage, { crop, size, kernel }: Cut, random: Random): Uint8Array {
  const region = cropWindow(crop, photo.width, photo.height, size, random)
  return resample(photo, { region, width: size, height: size, kernel })
}

async function readHeader(bytes: Uint8Array): Promise<PhotoSize> {
  const { autoOrient, depth, hasProfile } = await sharp(bytes, inputOptions).metadata()
  return { ...autoOrient, deepProfile: hasProfile && depth === 'ushort' }
}

function copyRgb(data: Uint8Array, channels: number, out: Uint8Array, offset: number, count: number): void {
  if (channels === 3) {
    out.set(data, offset)
    return
  }
  if (channels !== 1) throw new Error(`decodes to ${channels} channels instead of 3`)
  for (let index = 0; index < count; index++) out.fill(data[index]!, offset + index * 3, offset + index * 3 + 3)
}
