import sharp from 'sharp'
import type { Sharp } from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { configureSharp, decodeImage, readImageHeader } from './decode.ts'
import type { RgbImage } from './resample.ts'
import {
  best,
  drawn,
  encoder as encode,
  insertStrayBytes,
  pngOfSize,
  storedFor,
  withoutSegment,
} from '../testing/pictures.ts'

const width = 48
const height = 32

/** A smooth picture without any symmetry. */
const picture = drawn(width, height, (x, y) => [40 + 4 * x, 60 + 5 * y, 200 - 2 * x - y])

beforeAll(() => configureSharp())

describe('decodeImage gives the same upright sRGB pixels for', () => {
  const variants: Record<string, { encode: () => Promise<Uint8Array>; within: number }> = {
    PNG: { encode: () => encoder().png().toBuffer(), within: 0 },
    'interlaced PNG': { encode: () => encoder().png({ progressive: true }).toBuffer(), within: 0 },
    'PNG with 16 bits': { encode: () => encoder().toColourspace('rgb16').png().toBuffer(), within: 0 },
    JPEG: { encode: () => encoder().jpeg(best).toBuffer(), within: 3 },
    'progressive JPEG': {
      encode: () =>
        encoder()
          .jpeg({ ...best, progressive: true })
          .toBuffer(),
      within: 3,
    },
    'lossless WebP': { encode: () => encoder().webp({ lossless: true }).toBuffer(), within: 0 },
    WebP: { encode: () => encoder().webp({ quality: 100 }).toBuffer(), within: 6 },
    AVIF: { encode: () => encoder().avif({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(), within: 4 },
    TIFF: { encode: () => encoder().tiff({ compression: 'lzw' }).toBuffer(), within: 0 },
    GIF: { encode: () => encoder().gif({ dither: 0 }).toBuffer(), within: 24 },
    'PNG with a palette': { encode: () => encoder().png({ palette: true, dither: 0 }).toBuffer(), within: 24 },
    'JPEG in Display P3': { encode: () => encoder().withIccProfile('p3').jpeg(best).toBuffer(), within: 8 },
    'PNG in Display P3': { encode: () => encoder().withIccProfile('p3').png().toBuffer(), within: 2 },
    'PNG in Display P3 with 16 bits': {
      encode: () => encoder().toColourspace('rgb16').withIccProfile('p3').png().toBuffer(),
      within: 3,
    },
    'opaque alpha': { encode: () => encoder().ensureAlpha(1).png().toBuffer(), within: 0 },
    'JPEG with stray bytes between segments': {
      encode: async () => insertStrayBytes(await encoder().jpeg(best).toBuffer()),
      within: 3,
    },
    'JPEG with bytes after its end': {
      encode: async () => Buffer.concat([await encoder().jpeg(best).toBuffer(), Buffer.alloc(100, 7)]),
      within: 3,
    },
  }

  it.each(Object.entries(variants))('%s', async (_name, { encode, within }) => {
    expectPicture(await decodeImage(await encode()), picture, within)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i', async (orientation) => {
    const stored = storedFor(orientation, picture)
    const bytes = await encoder(stored).withMetadata({ orientation }).jpeg(best).toBuffer()
    const tagged = await sharp(bytes).metadata()
    expect(tagged.orientation ?? 1).toBe(orientation)
    expectPicture(await decodeImage(bytes), picture, 4)
  })
})

describe('decodeImage', () => {
  it('reads CMYK as Adobe stores it, inverted, whether its marker is there or not', async () => {
    const white = drawn(16, 16, () => [255, 255, 255])
    const adobe = await encoder(white).toColourspace('cmyk').jpeg(best).toBuffer()
    expect((await sharp(adobe).metadata()).space).toBe('cmyk')
    expectPicture(await decodeImage(adobe), white, 3)
    expectPicture(await decodeImage(withoutSegment(adobe, 0xee)), white, 3)
  })

  it('keeps the colours of CMYK within what its inks can show', async () => {
    const muted = drawn(16, 16, (x, y) => [110 + 4 * x, 120 + 2 * y, 130 - 2 * x])
    const bytes = await encoder(muted).toColourspace('cmyk').jpeg(best).toBuffer()
    expectPicture(await decodeImage(bytes), muted, 14)
  })

  it.each(['b-w', 'grey16'])('spreads grey (%s) to three channels', async (space) => {
    const grey = drawn(20, 10, (x) => [12 * x, 12 * x, 12 * x])
    const bytes = await encoder(grey).toColourspace(space).png().toBuffer()
    expect((await sharp(bytes).metadata()).channels).toBe(1)
    expectPicture(await decodeImage(bytes), grey, 0)
  })

  it.each(['png', 'webp', 'tiff'] as const)('composites alpha of %s on white', async (format) => {
    const alphas = [0, 64, 128, 255]
    const pixels = Uint8Array.from(alphas.flatMap((alpha) => [200, 40, 0, alpha]))
    const image = sharp(pixels, { raw: { width: 4, height: 1, channels: 4 } })
    const bytes = await image.toFormat(format, { lossless: true, exact: true, compression: 'lzw' }).toBuffer()
    const mixed = drawn(4, 1, (x) => [200, 40, 0].map((value) => 255 + ((value - 255) * alphas[x]!) / 255))
    expectPicture(await decodeImage(bytes), mixed, 1)
  })

  it('composites grey with alpha, and 16 bits with alpha, on white', async () => {
    const half = (channels: 2 | 4): Uint8Array =>
      Uint8Array.from({ length: 16 * channels }, (_, i) => (i % channels === channels - 1 ? 128 : 0))
    const raw = (channels: 2 | 4) => sharp(half(channels), { raw: { width: 4, height: 4, channels } })
    const expected = drawn(4, 4, () => [127, 127, 127])
    expectPicture(await decodeImage(await raw(2).toColourspace('b-w').png().toBuffer()), expected, 1)
    expectPicture(await decodeImage(await raw(4).toColourspace('rgb16').png().toBuffer()), expected, 1)
  })

  it.each(['gif', 'webp'] as const)('takes the first frame of an animated %s', async (format) => {
    const frames = await Promise.all(
      [
        [250, 0, 0],
        [0, 0, 250],
      ].map((rgb) =>
        encoder(drawn(16, 8, () => rgb))
          .png()
          .toBuffer(),
      ),
    )
    const bytes = await sharp(frames, { join: { animated: true } })
      .toFormat(format, { delay: [50, 50], lossless: true })
      .toBuffer()
    expect((await sharp(bytes).metadata()).pages).toBe(2)
    expectPicture(
      await decodeImage(bytes),
      drawn(16, 8, () => [250, 0, 0]),
      3,
    )
    expect(await readImageHeader(bytes)).toMatchObject({ format, width: 16, height: 8 })
  })

  it('reads a single pixel', async () => {
    const pixel = drawn(1, 1, () => [3, 141, 59])
    expectPicture(await decodeImage(await encoder(pixel).png().toBuffer()), pixel, 0)
  })
})

describe('what is not a picture that is read', () => {
  const start = (text: string): Uint8Array => Buffer.from(text.padEnd(64, '\0'), 'latin1')
  const unsupported: Record<string, Uint8Array> = {
    SVG: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'),
    HEIC: start('\0\0\0\x18ftypheic\0\0\0\0mif1heic'),
    'HEIC of many': start('\0\0\0\x18ftypmif1\0\0\0\0mif1heic'),
    MP4: start('\0\0\0\x18ftypisom\0\0\0\0isommp42'),
    BMP: start('BM\x46\0\0\0'),
    'JPEG XL': start('\xff\x0a'),
    'JPEG 2000': start('\0\0\0\x0cjP  \r\n\x87\n'),
    PDF: start('%PDF-1.7'),
    WAV: start('RIFF\0\0\0\0WAVE'),
    text: Buffer.from('a rose'),
    'one byte': Uint8Array.of(0xff),
  }

  it.each(Object.entries(unsupported))('%s is IMAGE_UNSUPPORTED', async (_name, bytes) => {
    await expect(decodeImage(bytes)).rejects.toMatchObject({ code: 'IMAGE_UNSUPPORTED' })
  })

  it('nothing is IMAGE_EMPTY', async () => {
    await expect(decodeImage(new Uint8Array())).rejects.toMatchObject({ code: 'IMAGE_EMPTY' })
  })

  it('configureSharp shuts the loaders that are not asked for', async () => {
    await expect(sharp(unsupported['SVG']).metadata()).rejects.toThrow(/unsupported/)
  })

  it.each(['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const)(
    'a %s that ends early is IMAGE_BROKEN',
    async (format) => {
      const whole = await encoder(drawn(200, 150, (x, y) => [(x * y * 7919) & 255, x, y]))
        .toFormat(format)
        .toBuffer()
      for (const share of [0.15, 0.5, 0.9]) {
        const cut = whole.subarray(0, Math.floor(whole.length * share))
        await expect(decodeImage(cut), `${share} of ${format}`).rejects.toMatchObject({
          code: 'IMAGE_BROKEN',
        })
      }
    },
  )

  it.each(['jpeg', 'png'] as const)('a progressive %s that ends early is IMAGE_BROKEN', async (format) => {
    const whole = await encoder().toFormat(format, { progressive: true }).toBuffer()
    await expect(decodeImage(whole.subarray(0, whole.length - 40))).rejects.toMatchObject({ code: 'IMAGE_BROKEN' })
  })

  it('a PNG with wrong bytes inside is IMAGE_BROKEN', async () => {
    const bytes = await encoder(drawn(200, 150, (x, y) => [(x * y * 7919) & 255, x, y]))
      .png()
      .toBuffer()
    bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 40)
    await expect(decodeImage(bytes)).rejects.toMatchObject({ code: 'IMAGE_BROKEN' })
  })

  it('a header of too many pixels is IMAGE_TOO_LARGE, before anything is decoded', async () => {
    await expect(decodeImage(pngOfSize(60_000, 60_000))).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
    })
    await expect(decodeImage(pngOfSize(70_000, 2))).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' })
  })

  it('the limit is the one given', async () => {
    const bytes = await encoder(drawn(100, 100, () => [1, 2, 3]))
      .png()
      .toBuffer()
    await expect(decodeImage(bytes, { megapixels: 0.009 })).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' })
    await expect(decodeImage(bytes, { megapixels: 0.01 })).resolves.toMatchObject({ width: 100, height: 100 })
  })
})

function encoder(image: RgbImage = picture): Sharp {
  return encode(image)
}

function expectPicture(actual: RgbImage, expected: RgbImage, within: number): void {
  expect([actual.width, actual.height]).toEqual([expected.width, expected.height])
  expect(actual.pixels).toHaveLength(expected.pixels.length)
  const furthest = expected.pixels.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - actual.pixels[index]!)),
    0,
  )
  expect(furthest).toBeLessThanOrEqual(within)
}
