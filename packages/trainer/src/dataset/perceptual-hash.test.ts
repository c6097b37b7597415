import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { drawFlower, drawnSpecies } from '../drawn/drawn-flowers.ts'
import { colourDifference, structureBytes, perceptualHashOf, hashSide, type PerceptualHash } from './perceptual-hash.ts'
import { nearDuplicates } from './near-duplicates.ts'

const picture = (pixel: (x: number, y: number) => readonly [number, number, number]): Uint8Array =>
  Uint8Array.from(
    Array.from({ length: hashSide ** 2 }, (_, place) => pixel(place % hashSide, Math.floor(place / hashSide))).flat(),
  )

const grey = (value: number): [number, number, number] => [value, value, value]

async function hashOf(image: Sharp): Promise<PerceptualHash | undefined> {
  return perceptualHashOf(await image.resize(hashSide, hashSide, { fit: 'fill' }).raw().toBuffer())
}

const edit = (photo: Buffer, change: (image: Sharp) => Sharp): Promise<Buffer> => change(sharp(photo)).toBuffer()

describe('perceptualHashOf', () => {
  it('marks the frequencies above their median', () => {
    // Cosines of known frequencies, so that these and no others stand out.
    const wave = (frequency: number, place: number) => Math.cos((Math.PI * frequency * (place + 0.5)) / hashSide)
    const hash = perceptualHashOf(
      picture((x, y) => grey(Math.round(128 + 40 * wave(3, x) + 30 * wave(2, x) * wave(5, y)))),
    )!
    const isSet = (u: number, v: number) => ((hash[(v * 8 + u) >> 3]! >> ((v * 8 + u) & 7)) & 1) === 1
    expect(isSet(3, 0)).toBe(true)
    expect(isSet(2, 5)).toBe(true)
    const turned = perceptualHashOf(
      picture((x, y) => grey(Math.round(128 - 40 * wave(3, x) - 30 * wave(2, x) * wave(5, y)))),
    )!
    const isSetTurned = (u: number, v: number) => ((turned[(v * 8 + u) >> 3]! >> ((v * 8 + u) & 7)) & 1) === 1
    expect(isSetTurned(3, 0)).toBe(false)
    expect(isSetTurned(2, 5)).toBe(false)
  })

  it('keeps the mean colours of sixteen fields', () => {
    const hash = perceptualHashOf(picture((x, y) => [x < 8 ? 200 : 0, y < 24 ? 10 : 250, 77]))!
    expect([...hash.subarray(structureBytes, structureBytes + 6)]).toEqual([200, 10, 77, 0, 10, 77])
    expect([...hash.subarray(-3)]).toEqual([0, 250, 77])
    const other = hash.slice()
    other.set([0, 10], structureBytes)
    expect(colourDifference(hash, other)).toBeCloseTo(200 / 48, 10)
  })

  it('has none of a flat picture', () => {
    expect(perceptualHashOf(picture(() => [200, 30, 90]))).toBeUndefined()
    expect(perceptualHashOf(picture((x) => grey(128 + (x % 2))))).toBeUndefined()
  })
})

describe('nearDuplicates', () => {
  it('finds a photo again that was made small, compressed, brightened, cropped a little or marked, and no other', async () => {
    const photos = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        drawFlower({ species: drawnSpecies[index % drawnSpecies.length]!, size: 160, seed: 1, index }),
      ),
    )
    const changes: ((image: Sharp) => Sharp)[] = [
      (image) => image.resize(64),
      (image) => image.jpeg({ quality: 30 }),
      (image) => image.linear(1.1, 5),
      (image) => image.extract({ left: 1, top: 1, width: 157, height: 158 }),
      (image) =>
        image.composite([
          { input: { create: { width: 24, height: 6, channels: 4, background: '#ffffff60' } }, left: 4, top: 150 },
        ]),
    ]
    const edited = await Promise.all(changes.map((change, index) => edit(photos[index]!, change)))
    const hashes = await Promise.all([...photos, ...edited].map((bytes) => hashOf(sharp(bytes))))
    expect(nearDuplicates(hashes)).toEqual(changes.map((_, index) => [index, photos.length + index]))
  })

  it('joins what is connected, takes photos without a hash for none, and agrees with comparing all', () => {
    const random = mulberry(7)
    const hashes: (PerceptualHash | undefined)[] = []
    for (let index = 0; index < 400; index++) {
      const hash = Uint8Array.from({ length: 56 }, (_, place) =>
        place < structureBytes ? random() * 256 : random() * 20,
      )
      hashes.push(hash)
      // Half of them have a relative some bits and some colours away.
      if (index % 2 === 0) {
        const relative = hash.slice()
        const changed = Math.floor(random() * 14)
        for (let bit = 0; bit < changed; bit++) relative[Math.floor(random() * 8)]! ^= 1 << Math.floor(random() * 8)
        if (random() < 0.3) relative.fill(200, structureBytes)
        hashes.push(relative)
      }
      if (index % 50 === 0) hashes.push(undefined)
    }
    const groups = nearDuplicates(hashes)
    expect(groups.length).toBeGreaterThan(100)
    expect(groups).toEqual(byComparingAll(hashes))
  })

  it('is quick with copies by the thousand', () => {
    const hash = Uint8Array.from({ length: 56 }, (_, place) => place * 37)
    const [group] = nearDuplicates(Array.from({ length: 25_000 }, () => hash))
    expect(group).toHaveLength(25_000)
  })
})

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Every pair by the rule itself, then labels spread until nothing changes. */
function byComparingAll(hashes: readonly (PerceptualHash | undefined)[]): number[][] {
  const bits = hashes.map((hash) => hash && Buffer.from(hash.subarray(0, structureBytes)).readBigUInt64LE())
  const ones = (value: bigint) => value.toString(2).replaceAll('0', '').length
  const label = hashes.map((_, index) => index)
  const pairs: [number, number][] = []
  for (let a = 0; a < hashes.length; a++) {
    for (let b = a + 1; b < hashes.length; b++) {
      const [one, other] = [hashes[a], hashes[b]]
      if (!one || !other) continue
      const different = ones(bits[a]! ^ bits[b]!)
      if (different <= 4 || (different <= 10 && colourDifference(one, other) <= 12)) pairs.push([a, b])
    }
  }
  for (let changed = true; changed;) {
    changed = false
    for (const [a, b] of pairs) {
      const low = Math.min(label[a]!, label[b]!)
      if (label[a] !== low || label[b] !== low) changed = true
      label[a] = label[b] = low
    }
  }
  const groups = new Map<number, number[]>()
  label.forEach((root, index) => groups.set(root, [...(groups.get(root) ?? []), index]))
  return [...groups.values()].filter((group) => group.length > 1)
}
