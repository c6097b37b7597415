import { groupBy } from '@flowers/shared/group-by'
import { colourDifference, type PerceptualHash } from './perceptual-hash.ts'

/**
 * Two photos are near-duplicates when their hashes differ in at most `sure` bits, or in at most `likely` while their colours
 * differ by at most `colour` of 255 on average. Chosen on Flowers-102 (64 px), Flowers-17 and a set of five flowers from
 * photo-sharing sites (9,878 photos, 77 pairs found): those that are not alike to the bit were looked at, and each is one
 * photo in two sizes, crops or edits. From 6 bits on, different flowers before alike backgrounds come in, and their colours
 * tell them; from 12 on, not even those.
 */
const limits = { sure: 4, likely: 10, colour: 12 } as const

/** A hash in blocks of 16 bits. */
const blocks = 4
/** Two hashes that differ in at most `likely` bits have a block that differs in at most so many. */
const blockRadius = Math.floor(limits.likely / blocks)

/** Every 16-bit number with at most `blockRadius` bits set, without the order mattering. */
const nearby: readonly number[] = Array.from({ length: 2 ** 16 }, (_, bits) => bits).filter(
  (bits) => ones(bits) <= blockRadius,
)

/** How many of 32 bits are set. */
function ones(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/**
 * Groups of near-duplicates, through others where need be: places in `hashes`, in order; photos without a hash are in none.
 * Hashes are found through their blocks (Norouzi, Punjani and Fleet, "Fast search in Hamming space with multi-index
 * hashing", 2012), so time grows with the photos, not with their square.
 */
export function nearDuplicates(hashes: readonly (PerceptualHash | undefined)[]): number[][] {
  const groups = new Groups(hashes.length)
  const distinct = new Map<string, number>()
  hashes.forEach((hash, place) => {
    if (!hash) return
    const key = Buffer.from(hash.subarray(0, 8)).toString('hex')
    const first = distinct.get(key)
    if (first === undefined) distinct.set(key, place)
    else groups.join(first, place)
  })
  const places = [...distinct.values()]
  const words = Uint16Array.from(
    places.flatMap((place) => Array.from({ length: blocks }, (_, block) => wordOf(hashes[place]!, block))),
  )
  for (let block = 0; block < blocks; block++) {
    // Chains of the hashes that share a block: the last one in `last`, the one before each in `before`; 0 ends a chain.
    const last = new Int32Array(2 ** 16)
    const before = new Int32Array(places.length + 1)
    for (let index = 0; index < places.length; index++) {
      const word = words[index * blocks + block]!
      for (const change of nearby) {
        for (let other = last[word ^ change]!; other > 0; other = before[other]!) {
          const bits = distance(words, index, other - 1)
          if (bits > limits.likely) continue
          const [here, there] = [places[index]!, places[other - 1]!]
          if (bits <= limits.sure || colourDifference(hashes[here]!, hashes[there]!) <= limits.colour)
            groups.join(here, there)
        }
      }
      before[index + 1] = last[word]!
      last[word] = index + 1
    }
  }
  return groups.list()
}

const wordOf = (hash: PerceptualHash, block: number): number => hash[2 * block]! | (hash[2 * block + 1]! << 8)

function distance(words: Uint16Array, a: number, b: number): number {
  let bits = 0
  for (let block = 0; block < blocks; block++) bits += ones(words[a * blocks + block]! ^ words[b * blocks + block]!)
  return bits
}

/** Disjoint sets of numbers below a count. */
class Groups {
  readonly #parent: Int32Array

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, place) => place)
  }

  #root(place: number): number {
    let root = place
    while (this.#parent[root] !== root) root = this.#parent[root] = this.#parent[this.#parent[root]!]!
    return root
  }

  join(a: number, b: number): void {
    const [x, y] = [this.#root(a), this.#root(b)]
    this.#parent[Math.max(x, y)] = Math.min(x, y)
  }

  /** Sets of two or more, in order of their first. */
  list(): number[][] {
    const groups = groupBy(this.#parent.keys(), (place) => this.#root(place))
    return [...groups.values()].filter((group) => group.length > 1)
  }
}
