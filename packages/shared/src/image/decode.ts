import sharp from 'sharp'
import { SharedError, type FlowersError } from '../errors.ts'
import { detectImageFormat, isHeic, type ImageFormat } from './format.ts'
import type { RgbImage } from './resample.ts'

/** What an image may ask of the machine before it is decoded. */
export interface ImageLimits {
  /** Width x height of one frame, in millions of pixels. */
  readonly megapixels: number
  /** Of decoding and resizing. None when it is left out. */
  readonly seconds?: number
}

const defaultImageLimits: ImageLimits = { megapixels: 64 }

/** Transparent pixels are composited on this sRGB colour. */
export const alphaBackground = { r: 255, g: 255, b: 255 } as const

/** libvips places pixels by 32-bit integers and stops at 100,000,000 a side; file formats stop earlier. */
const longestSide = 65_535

// JPEGs that carry a gain map for bright screens are read as the plain JPEG they begin with, in every process.
sharp.block({ operation: ['VipsForeignLoadUhdr'] })

/** What the header of an image says, before anything is decoded. */
export interface ImageHeader {
  readonly format: ImageFormat
  /** As stored, before the EXIF orientation is applied. */
  readonly width: number
  readonly height: number
  /** Bytes of its pixels as stored: width x height x channels x bytes of a channel. */
  readonly pixelBytes: number
}

/**
 * Settings of sharp for a process that reads images from untrusted clients and runs other work beside it: one thread a
 * picture (parallelism is several pictures at once), no cache of operations, and no loader but those of
 * {@link detectImageFormat}. Process-wide; call it once at the start.
 */
export function configureSharp(options: { concurrency?: number } = {}): void {
  sharp.concurrency(options.concurrency ?? 1)
  sharp.cache(false)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({
    operation: [
      'VipsForeignLoadJpeg',
      'VipsForeignLoadPng',
      'VipsForeignLoadWebp',
      'VipsForeignLoadHeif',
      'VipsForeignLoadTiff',
      'VipsForeignLoadNsgif',
    ],
  })
}

/**
 * Reads the header alone: format by content, size against the limits.
 * Throws IMAGE_EMPTY (no bytes), IMAGE_UNSUPPORTED (not a format that is read), IMAGE_TOO_LARGE, IMAGE_BROKEN.
 */
export async function readImageHeader(
  bytes: Uint8Array,
  limits: ImageLimits = defaultImageLimits,
): Promise<ImageHeader> {
  const { deepProfile: _, ...header } = await inspect(bytes, limits)
  return header
}

async function inspect(bytes: Uint8Array, limits: ImageLimits): Promise<ImageHeader & { deepProfile: boolean }> {
  if (bytes.length === 0) throw new SharedError('IMAGE_EMPTY', 'The image has no bytes.')
  const format = detectImageFormat(bytes)
  if (!format) {
    throw new SharedError(
      'IMAGE_UNSUPPORTED',
      isHeic(bytes)
        ? 'The content is HEIC, as iPhones take it; save or export it as JPEG.'
        : 'The content is not a picture of a format that is read.',
    )
  }
  const { width, height, depth, channels, hasProfile } = await reading(format, () =>
    sharp(bytes, inputOptions).metadata(),
  )
  if (width * height > limits.megapixels * 1e6 || Math.max(width, height) > longestSide) {
    throw new SharedError(
      'IMAGE_TOO_LARGE',
      `The image is ${width} x ${height} pixels; at most ${limits.megapixels} million, ${longestSide} a side, are read.`,
    )
  }
  const pixelBytes = width * height * channels * (depth === 'uchar' ? 1 : 2)
  return { format, width, height, pixelBytes, deepProfile: hasProfile && depth === 'ushort' }
}

/** An image whose header was read. */
export interface OpenedImage extends ImageHeader {
  /** See {@link decodeImage}. */
  decode(): Promise<RgbImage>
}

/**
 * Reads the header; decoding is left to the caller, who knows then what it takes.
 * Throws what {@link readImageHeader} throws.
 */
export async function openImage(bytes: Uint8Array, limits: ImageLimits = defaultImageLimits): Promise<OpenedImage> {
  const { deepProfile, ...header } = await inspect(bytes, limits)
  return { ...header, decode: () => decode(bytes, { format: header.format, deepProfile }, limits) }
}

/**
 * Decodes a picture whole: first frame, EXIF orientation applied, ICC profile or CMYK converted to sRGB, 16 bits
 * reduced to 8, grey spread to three channels, alpha composited on {@link alphaBackground}.
 * CMYK is read as Adobe stores it (inverted), as every common reader does. Throws what {@link readImageHeader} throws,
 * IMAGE_BROKEN for a truncated or corrupt file, and IMAGE_SLOW past the seconds of `limits`.
 */
export async function decodeImage(bytes: Uint8Array, limits: ImageLimits = defaultImageLimits): Promise<RgbImage> {
  return (await openImage(bytes, limits)).decode()
}

async function decode(
  bytes: Uint8Array,
  { format, deepProfile }: { format: ImageFormat; deepProfile: boolean },
  { seconds }: ImageLimits,
): Promise<RgbImage> {
  const pipeline = sharp(bytes, inputOptions)
    .autoOrient()
    .flatten({ background: alphaBackground })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
  // From 16 bits with a profile, sharp converts to Display P3 for its own use and comes back only when told.
  if (deepProfile) pipeline.withIccProfile('srgb')
  // Whole seconds are all it takes, and where a format is decoded in one piece (interlaced PNG) it is asked afterwards.
  if (seconds !== undefined) pipeline.timeout({ seconds: Math.ceil(seconds) })
  const { data, info } = await reading(format, () => pipeline.toBuffer({ resolveWithObject: true }))
  return { pixels: toRgb(data, info.channels), width: info.width, height: info.height }
}

// Warnings (a stray byte between markers, say) are common in photos that every viewer shows; truncation is an error.
const inputOptions = { failOn: 'error', limitInputPixels: false, pages: 1 } as const

async function reading<T>(format: ImageFormat, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const reason = (error instanceof Error ? error.message.split('\n')[0] : undefined) ?? String(error)
    if (reason.startsWith('timeout')) throw tooSlow()
    throw new SharedError('IMAGE_BROKEN', `The ${format.toUpperCase()} image cannot be decoded: ${reason}`, {
      cause: error,
    })
  }
}

/** For a picture that takes longer than it may. */
export function tooSlow(): FlowersError {
  return new SharedError('IMAGE_SLOW', 'The image takes longer to decode than it may.')
}

function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  if (channels !== 1) throw new SharedError('IMAGE_UNSUPPORTED', `The image has ${channels} colour channels.`)
  const pixels = new Uint8Array(data.length * 3)
  for (let index = 0; index < data.length; index++) pixels.fill(data[index]!, index * 3, index * 3 + 3)
  return pixels
}
