import { readFile } from 'node:fs/promises'
import { alphaBackground, readImageHeader } from '@flowers/shared/image/decode'
import sharp from 'sharp'
import { reasonOf } from '../console/system-error.ts'
import { hashSide, perceptualHashOf, type PerceptualHash } from './perceptual-hash.ts'
import type { VerifiedPhotos } from './verified-photos.ts'

/** What is wrong with a photo by itself. */
export interface Flaw {
  readonly kind: 'unreadable' | 'truncated' | 'flawed'
  readonly detail: string
}

export interface Inspection {
  /** Undefined for a photo without one. */
  readonly flaw?: Flaw
  /** As stored; undefined where the photo cannot be decoded. */
  readonly size?: { readonly width: number; readonly height: number }
  /** Undefined where the photo cannot be decoded or has no structure. */
  readonly perceptualHash?: PerceptualHash | undefined
}

/** Whether it cannot be decoded to its end, so that nothing can be learned from it. */
export const isBroken = ({ flaw }: Inspection): boolean => flaw !== undefined && flaw.kind !== 'flawed'

/**
 * Decodes a photo to its last row, in little memory, unless one of the same content was found without a
 * flaw. Never throws for what is wrong with it.
 */
export async function inspectPhoto(path: string, sha256: string, verified: VerifiedPhotos): Promise<Inspection> {
  const known = verified.get(sha256)
  if (known) return { size: known, perceptualHash: known.perceptualHash }
  let bytes: Buffer
  let size: { width: number; height: number }
  try {
    bytes = await readFile(path)
    size = await readImageHeader(bytes)
  } catch (error) {
    return { flaw: { kind: 'unreadable', detail: reasonOf(error) } }
  }
  const strict = await decode(bytes, 'warning')
  if (strict) {
    const perceptualHash = perceptualHashOf(strict)
    verified.add(sha256, { width: size.width, height: size.height, perceptualHash })
    return { size, perceptualHash }
  }
  // What training and service accept.
  const lenient = await decode(bytes, 'error')
  if (lenient) return { flaw: { kind: 'flawed', detail: '' }, perceptualHash: perceptualHashOf(lenient) }
  if (await decode(bytes, 'none')) return { flaw: { kind: 'truncated', detail: '' } }
  return { flaw: { kind: 'unreadable', detail: 'The header can be read, the pixels cannot.' } }
}

/** The photo as 32 x 32 RGB; undefined where reading so strictly fails. The decoder's words differ from run to run. */
async function decode(bytes: Buffer, failOn: 'none' | 'error' | 'warning'): Promise<Uint8Array | undefined> {
  try {
    const { data, info } = await sharp(bytes, { failOn, limitInputPixels: false, pages: 1 })
      .autoOrient()
      .resize(hashSide, hashSide, { fit: 'fill' })
      .flatten({ background: alphaBackground })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels === 3) return data
    return Uint8Array.from({ length: hashSide ** 2 * 3 }, (_, place) => data[Math.floor(place / 3) * info.channels]!)
  } catch {
    return undefined
  }
}
