import {
  best,
  drawn,
  encoder,
  insertStrayBytes,
  pngOfSize,
  storedFor,
  withoutSegment,
} from '@flowers/shared/testing/pictures'
import sharp from 'sharp'

/** What is sent: bytes, in a form under this name and type; or as the body when `bare`. */
export interface Sent {
  readonly bytes: Uint8Array
  readonly name?: string
  readonly type?: string
  readonly bare?: boolean
}

/** Brighter to the left, every corner another colour, all of them colours that inks can show. */
const upright = drawn(48, 32, (x, y) => [205 - 3 * x, 190 - 3 * x + y, 185 - 3 * x - y])
const grey = drawn(48, 32, (x) => Array<number>(3).fill(205 - 3 * x))
const other = drawn(48, 32, () => [0, 0, 250])

const raw = (pixels: Uint8Array, channels: 2 | 4) => sharp(pixels, { raw: { width: 48, height: 32, channels } })
/** Half transparent. */
const halfUpright = (): ReturnType<typeof raw> => raw(withAlpha(upright.pixels, 3), 4)
const halfGrey = (): ReturnType<typeof raw> =>
  raw(
    withAlpha(
      grey.pixels.filter((_, index) => index % 3 === 0),
      1,
    ),
    2,
  )

function withAlpha(pixels: Uint8Array, channels: number): Uint8Array {
  const pixelCount = pixels.length / channels
  return Uint8Array.from({ length: pixelCount * (channels + 1) }, (_, index) => {
    const channel = index % (channels + 1)
    return channel === channels ? 128 : pixels[Math.floor(index / (channels + 1)) * channels + channel]!
  })
}

const jpeg = (): Promise<Buffer> => encoder(upright).jpeg(best).toBuffer()
const png = (): Promise<Buffer> => encoder(upright).png().toBuffer()
const latin = (text: string): Buffer => Buffer.from(text, 'latin1')
const start = (text: string): Buffer => latin(text.padEnd(64, '\0'))

/** Two pages in one file, from `format`'s own joiner. */
async function twoPages(format: 'gif' | 'webp' | 'tiff'): Promise<Buffer> {
  const frames = await Promise.all([upright, other].map((frame) => encoder(frame).png().toBuffer()))
  return sharp(frames, { join: { animated: true } })
    .toFormat(format, { delay: [50, 50], lossless: true, dither: 0, compression: 'lzw' })
    .toBuffer()
}

/** A picture that no codec makes small, without its second half. */
async function cutOff(format: 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif'): Promise<Buffer> {
  const busy = drawn(200, 150, (x, y) => [(x * y * 7919) & 255, x, y])
  const whole = await encoder(busy).toFormat(format).toBuffer()
  return whole.subarray(0, whole.length >> 1)
}

/** A JPEG with a segment COM (T.81, B.2.4.5) behind its first two bytes. */
function withComment(image: Buffer, text: string): Buffer {
  const comment = latin(text)
  const head = Buffer.from([0xff, 0xfe, 0, 0])
  head.writeUInt16BE(comment.length + 2, 2)
  return Buffer.concat([image.subarray(0, 2), head, comment, image.subarray(2)])
}

/** The file `name` in a ZIP archive, stored as it is (APPNOTE 4.3.7); enough for what looks for one. */
function zipped(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  head.writeUInt32LE(content.length, 18)
  head.writeUInt32LE(content.length, 22)
  head.writeUInt16LE(name.length, 26)
  return Buffer.concat([head, latin(name), content])
}

const orientations = [1, 2, 3, 4, 5, 6, 7, 8].map((orientation) => [
  `JPEG, EXIF orientation ${orientation}`,
  async (): Promise<Sent> => ({
    bytes: await encoder(storedFor(orientation, upright)).withMetadata({ orientation }).jpeg(best).toBuffer(),
  }),
])

const cuts = (['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const).map((format) => {
  const name = { jpeg: 'JPEG', png: 'PNG', webp: 'WebP', avif: 'AVIF', tiff: 'TIFF', gif: 'GIF' }[format]
  return [`${name}, cut off in the middle`, async (): Promise<Sent> => ({ bytes: await cutOff(format) })]
})

/** Every input of the table in fixtures/image-contract/cases.json, drawn or written byte by byte. */
export const inputs: Readonly<Record<string, () => Promise<Sent> | Sent>> = {
  JPEG: async () => ({ bytes: await jpeg() }),
  ...(Object.fromEntries(orientations) as object),
  'WebP, EXIF orientation 6': async () => ({
    bytes: await encoder(storedFor(6, upright)).withMetadata({ orientation: 6 }).webp({ lossless: true }).toBuffer(),
  }),
  'PNG, EXIF orientation 3': async () => ({
    bytes: await encoder(storedFor(3, upright)).withMetadata({ orientation: 3 }).png().toBuffer(),
  }),
  'JPEG, progressive': async () => ({
    bytes: await encoder(upright)
      .jpeg({ ...best, progressive: true })
      .toBuffer(),
  }),
  'JPEG, grey': async () => ({ bytes: await encoder(grey).toColourspace('b-w').jpeg(best).toBuffer() }),
  'JPEG, CMYK inverted with the marker of Adobe': async () => ({
    bytes: await encoder(upright).toColourspace('cmyk').jpeg(best).toBuffer(),
  }),
  'JPEG, CMYK inverted without the marker': async () => ({
    bytes: withoutSegment(await encoder(upright).toColourspace('cmyk').jpeg(best).toBuffer(), 0xee),
  }),
  'TIFF, CMYK': async () => ({
    bytes: await encoder(upright).toColourspace('cmyk').tiff({ compression: 'lzw' }).toBuffer(),
  }),
  'JPEG, ICC profile Display P3': async () => ({
    bytes: await encoder(upright).withIccProfile('p3').jpeg(best).toBuffer(),
  }),
  'PNG, ICC profile Display P3': async () => ({ bytes: await encoder(upright).withIccProfile('p3').png().toBuffer() }),
  'PNG, ICC profile Display P3, 16 bits': async () => ({
    bytes: await encoder(upright).toColourspace('rgb16').withIccProfile('p3').png().toBuffer(),
  }),
  PNG: async () => ({ bytes: await png() }),
  'PNG, interlaced': async () => ({ bytes: await encoder(upright).png({ progressive: true }).toBuffer() }),
  'PNG, 16 bits': async () => ({ bytes: await encoder(upright).toColourspace('rgb16').png().toBuffer() }),
  'PNG, grey': async () => ({ bytes: await encoder(grey).toColourspace('b-w').png().toBuffer() }),
  'PNG, grey, 16 bits': async () => ({ bytes: await encoder(grey).toColourspace('grey16').png().toBuffer() }),
  'PNG, grey with alpha': async () => ({ bytes: await halfGrey().toColourspace('b-w').png().toBuffer() }),
  'PNG, alpha': async () => ({ bytes: await halfUpright().png().toBuffer() }),
  'PNG, alpha, 16 bits': async () => ({ bytes: await halfUpright().toColourspace('rgb16').png().toBuffer() }),
  'PNG, palette': async () => ({ bytes: await encoder(upright).png({ palette: true, dither: 0 }).toBuffer() }),
  WebP: async () => ({ bytes: await encoder(upright).webp({ quality: 100 }).toBuffer() }),
  'WebP, lossless, alpha': async () => ({
    bytes: await halfUpright().webp({ lossless: true, exact: true }).toBuffer(),
  }),
  'WebP, animated': async () => ({ bytes: await twoPages('webp') }),
  AVIF: async () => ({ bytes: await encoder(upright).avif({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer() }),
  TIFF: async () => ({ bytes: await encoder(upright).tiff({ compression: 'lzw' }).toBuffer() }),
  'TIFF, 16 bits': async () => ({
    bytes: await encoder(upright).toColourspace('rgb16').tiff({ compression: 'lzw' }).toBuffer(),
  }),
  'TIFF, several pages': async () => ({ bytes: await twoPages('tiff') }),
  GIF: async () => ({ bytes: await encoder(upright).gif({ dither: 0 }).toBuffer() }),
  'GIF, animated': async () => ({ bytes: await twoPages('gif') }),
  'one pixel (1 x 1)': async () => ({
    bytes: await encoder(drawn(1, 1, () => [200, 20, 30]))
      .png()
      .toBuffer(),
  }),
  'one row (500 x 1)': async () => ({
    bytes: await encoder(drawn(500, 1, (x) => [x >> 1, 20, 30]))
      .png()
      .toBuffer(),
  }),
  'JPEG with 100 bytes after its end': async () => ({ bytes: Buffer.concat([await jpeg(), Buffer.alloc(100, 7)]) }),
  'JPEG with a ZIP archive after its end (polyglot)': async () => ({
    bytes: Buffer.concat([await jpeg(), zipped('run.js', latin('alert(1)'))]),
  }),
  'JPEG with HTML in a comment (polyglot)': async () => ({
    bytes: withComment(await jpeg(), '<html><script>alert(1)</script></html>'),
  }),
  'JPEG with stray bytes between segments': async () => ({ bytes: insertStrayBytes(await jpeg()) }),
  'JPEG called rose.html, of type text/html': async () => ({
    bytes: await jpeg(),
    name: 'rose.html',
    type: 'text/html',
  }),
  'PNG called rose.jpg, of type image/jpeg': async () => ({ bytes: await png(), name: 'rose.jpg', type: 'image/jpeg' }),
  'PNG of type image/svg+xml, without a form': async () => ({ bytes: await png(), type: 'image/svg+xml', bare: true }),
  'PNG of 30,000 x 30,000 pixels (bomb)': () => ({ bytes: pngOfSize(30_000, 30_000) }),
  'PNG of 70,000 x 2 pixels': () => ({ bytes: pngOfSize(70_000, 2) }),
  'GIF of 30,000 x 30,000 pixels': () => ({
    bytes: latin('GIF89a\x30\x75\x30\x75\0\0\0,\0\0\0\0\x30\x75\x30\x75\0\x02\x02\x4c\x01\0;'),
  }),
  'PNG of 100 x 100 pixels without data': () => ({ bytes: pngOfSize(100, 100) }),
  ...(Object.fromEntries(cuts) as object),
  'JPEG, progressive, cut off before its last scan': async () => {
    const whole = await encoder(upright)
      .jpeg({ ...best, progressive: true })
      .toBuffer()
    return { bytes: whole.subarray(0, whole.lastIndexOf(Buffer.from([0xff, 0xda])) + 20) }
  },
  'PNG with wrong bytes in the middle': async () => {
    const whole = await png()
    return { bytes: whole.fill(0, whole.length >> 1, (whole.length >> 1) + 20) }
  },
  'signature of a JPEG and nothing else': () => ({ bytes: Buffer.from([0xff, 0xd8, 0xff]) }),
  'GIF with a script in its header (polyglot)': () => ({ bytes: latin('GIF89a/*'.padEnd(40, ' ') + '*/=1;alert(1)') }),
  'HTML with a JPEG inside': async () => ({ bytes: Buffer.concat([latin('<html><!--'), await jpeg(), latin('-->')]) }),
  'ZIP archive with a JPEG inside': async () => ({ bytes: zipped('rose.jpg', await jpeg()) }),
  HEIC: () => ({ bytes: start('\0\0\0\x18ftypheic\0\0\0\0mif1heic') }),
  SVG: () => ({ bytes: latin(svg) }),
  'SVG called rose.jpg, of type image/jpeg': () => ({ bytes: latin(svg), name: 'rose.jpg', type: 'image/jpeg' }),
  PDF: () => ({ bytes: start('%PDF-1.7') }),
  BMP: () => ({ bytes: start('BM\x46\0\0\0') }),
  'JPEG XL': () => ({ bytes: start('\xff\x0a') }),
  MP4: () => ({ bytes: start('\0\0\0\x18ftypisom\0\0\0\0isommp42') }),
  text: () => ({ bytes: latin('a rose') }),
  zeros: () => ({ bytes: Buffer.alloc(1000) }),
  'empty file in a form': () => ({ bytes: Buffer.alloc(0) }),
  'empty body': () => ({ bytes: Buffer.alloc(0), type: 'image/jpeg', bare: true }),
}

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
