import { mean } from '../measure/mean.ts'

/** Side of the small picture that a hash is taken from, in pixels. */
export const hashSide = 32

/** What tells whether two photos look alike, in 56 bytes: {@link structureBytes} of structure, then mean colours of 4 x 4 fields, RGB. */
export type PerceptualHash = Uint8Array

export const structureBytes = 8
const fields = 4
/** Lowest frequencies that count, in each direction. */
const frequencies = 8
/** Mean deviation of brightness, of 255, below which a picture has no structure to compare. */
const flat = 2

/** Rows are the frequencies of the discrete cosine transform (DCT-II), unscaled. */
const cosines = Array.from({ length: frequencies }, (_, frequency) =>
  Float64Array.from({ length: hashSide }, (_, place) => Math.cos((Math.PI * frequency * (place + 0.5)) / hashSide)),
)

/**
 * The perceptual hash of Zauner ("Implementation and benchmarking of perceptual image hash functions", 2010): of the
 * brightness (Rec. 601) the 8 x 8 lowest frequencies of a discrete cosine transform, each above their median or not; the
 * mean brightness is left out. The mean colours stand beside it, which that hash does not see.
 * @param pixels 32 x 32 RGB
 * @returns undefined for a picture that is all but flat, whose hash would be noise
 */
export function perceptualHashOf(pixels: Uint8Array): PerceptualHash | undefined {
  const grey = Float64Array.from(
    { length: hashSide * hashSide },
    (_, place) => 0.299 * pixels[3 * place]! + 0.587 * pixels[3 * place + 1]! + 0.114 * pixels[3 * place + 2]!,
  )
  const brightness = mean(grey)
  if (mean(grey.map((value) => Math.abs(value - brightness))) < flat) return undefined
  const hash = new Uint8Array(structureBytes + fields * fields * 3)
  const waves = lowFrequencies(grey)
  const middle = waves.slice(1).toSorted()[Math.floor((waves.length - 1) / 2)]!
  waves.forEach((value, index) => {
    if (index > 0 && value > middle) hash[index >> 3]! |= 1 << (index & 7)
  })
  hash.set(fieldColours(pixels), structureBytes)
  return hash
}

function lowFrequencies(grey: Float64Array): Float64Array {
  const rows = new Float64Array(hashSide * frequencies)
  for (let y = 0; y < hashSide; y++) {
    for (let u = 0; u < frequencies; u++) {
      for (let x = 0; x < hashSide; x++) rows[y * frequencies + u]! += cosines[u]![x]! * grey[y * hashSide + x]!
    }
  }
  const waves = new Float64Array(frequencies * frequencies)
  for (let v = 0; v < frequencies; v++) {
    for (let u = 0; u < frequencies; u++) {
      for (let y = 0; y < hashSide; y++) waves[v * frequencies + u]! += cosines[v]![y]! * rows[y * frequencies + u]!
    }
  }
  return waves
}

function fieldColours(pixels: Uint8Array): number[] {
  const side = hashSide / fields
  const sums = new Float64Array(fields * fields * 3)
  for (let place = 0; place < hashSide * hashSide; place++) {
    const field = Math.floor(place / hashSide / side) * fields + Math.floor((place % hashSide) / side)
    for (let channel = 0; channel < 3; channel++) sums[field * 3 + channel]! += pixels[place * 3 + channel]!
  }
  return Array.from(sums, (sum) => Math.round(sum / side ** 2))
}

/** Mean difference of the colours of two hashes, of 255. */
export function colourDifference(a: PerceptualHash, b: PerceptualHash): number {
  let sum = 0
  for (let place = structureBytes; place < a.length; place++) sum += Math.abs(a[place]! - b[place]!)
  return sum / (a.length - structureBytes)
}
