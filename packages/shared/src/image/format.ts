/** The image formats that are read, by content. Everything else is refused, whatever its name or media type says. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif'

/** Bytes at the start of a file; null stands for any byte. */
type Signature = readonly (number | null)[]

const text = (characters: string): number[] => Array.from(characters, (character) => character.charCodeAt(0))

/** Sources: JFIF/ITU T.81 B.1, PNG 5.2, RFC 9649 2.3, TIFF 6.0 section 2 and BigTIFF, GIF89a 17. */
const signatures: readonly (readonly [ImageFormat, Signature])[] = [
  ['jpeg', [0xff, 0xd8, 0xff]],
  ['png', [0x89, ...text('PNG'), 0x0d, 0x0a, 0x1a, 0x0a]],
  ['webp', [...text('RIFF'), null, null, null, null, ...text('WEBP')]],
  ['gif', text('GIF87a')],
  ['gif', text('GIF89a')],
  ['tiff', [...text('II'), 42, 0]],
  ['tiff', [...text('MM'), 0, 42]],
  ['tiff', [...text('II'), 43, 0]],
  ['tiff', [...text('MM'), 0, 43]],
]

/** Format of an image by its first bytes, or null when it is none that is read. */
export function detectImageFormat(bytes: Uint8Array): ImageFormat | null {
  const found = signatures.find(([, signature]) =>
    signature.every((expected, index) => (expected === null ? index < bytes.length : bytes[index] === expected)),
  )
  if (found) return found[0]
  return isAvif(bytes) ? 'avif' : null
}

/** Brands of HEIC (ISO/IEC 23008-12 annex B), as phones write it. */
const heicBrands = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'])

/** Whether it is a photo as iPhones take it, which is not read. */
export const isHeic = (bytes: Uint8Array): boolean =>
  bytes.length >= 12 &&
  String.fromCharCode(...bytes.subarray(4, 8)) === 'ftyp' &&
  heicBrands.has(String.fromCharCode(...bytes.subarray(8, 12)))

/**
 * AVIF is an ISO base media file whose `ftyp` box names the brand `avif` or `avis` (AV1 Image File Format 1.1,
 * section 6). HEIC is the same container with other brands, and is not read.
 */
function isAvif(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const name = (offset: number): string => String.fromCharCode(...bytes.subarray(offset, offset + 4))
  if (name(4) !== 'ftyp') return false
  const end = Math.min(view.getUint32(0), bytes.length - (bytes.length % 4))
  for (let offset = 8; offset + 4 <= end; offset += 4) {
    const isMinorVersion = offset === 12
    if (!isMinorVersion && (name(offset) === 'avif' || name(offset) === 'avis')) return true
  }
  return false
}
