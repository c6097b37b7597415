import { Random } from '@flowers/shared/random'
import { describe, expect, it } from 'vitest'
import { fitNearest } from './fit-nearest.ts'
import { fitRejector, type RejectorPhotos } from './fit-rejector.ts'
import { knownOf, type PlainView } from './rejector.ts'

const width = 12
const classes = 3
const random = new Random(3, 'calibration')

/** Of a class, around a place of its own; `label` -1: of something else, around a place that belongs to its kind. */
function view(label: number, kind = 0): PlainView & { label: number } {
  const features = Float32Array.from({ length: width }, (_, place) => {
    const centre = label >= 0 ? (place === label ? 4 : 0) : place === classes || place === classes + 1 + kind ? 3 : 0
    return centre + 0.7 * random.normal()
  })
  return { label, features, logits: Array.from({ length: classes }, (_, index) => features[index]!) }
}

const own = (count: number) => Array.from({ length: count }, (_, place) => view(place % classes))
const photos = (others: number): RejectorPhotos => ({
  training: own(150),
  fitting: own(120),
  held: own(120),
  drawn: [],
  others: Array.from({ length: others }, (_, place) => {
    const species = place % 6
    return { ...view(-1, species), origin: { group: 'plants', species: String(species) } }
  }),
})
const options = { classes, temperature: 1, seed: 1, refusedShare: 0.05, most: 5000 }
const share = (known: readonly number[], threshold: number): number =>
  known.filter((value) => value < threshold).length / known.length

describe('fitted against photos of others', () => {
  const all = photos(120)
  const { rejector, known, ofOthers, ece } = fitRejector(all, options)!

  it('refuses species that it has not seen, and few photos of the classes', () => {
    expect(known).toMatchObject({ form: 'trained', refusedShare: 0.05, count: 120, isCalibrated: true })
    expect(share(ofOthers, known.threshold)).toBeGreaterThan(0.9)
    const ofHeld = all.held.map((held) => knownOf(rejector, held))
    expect(share(ofHeld, known.threshold)).toBeLessThan(0.1)
    expect(ece).toBeLessThan(0.05)
  })

  it('judges each species by weights that never saw it', () => {
    // What one photo of a species is like changes what the others of it get by nothing: they are of the same fold.
    const [first, ...rest] = all.others
    const odd = { ...first!, features: Float32Array.from({ length: width }, () => 9) }
    const again = fitRejector({ ...all, others: [odd, ...rest] }, options)!
    const scoreOf = (values: readonly number[], place: number): number =>
      Math.log(values[place]! / (1 - values[place]!))
    const sameFold = [...all.others.keys()].filter((place) => place > 0 && all.others[place]!.origin.species === '0')
    const order = (values: readonly number[]): number[] =>
      sameFold.toSorted((a, b) => scoreOf(values, a) - scoreOf(values, b))
    expect(order(again.ofOthers)).toEqual(order(ofOthers))
  })
})

describe('without photos of others', () => {
  const all = photos(40)

  it('holds pictures against training photos of the class', () => {
    const { rejector, known, ofOthers, ece } = fitRejector(all, options)!
    expect(known).toMatchObject({ form: 'nearest', isCalibrated: false })
    expect(known.threshold).toBeCloseTo(0.5, 9)
    expect(ece).toBeNull()
    expect(share(ofOthers, known.threshold)).toBeGreaterThan(0.5)
    const ofHeld = all.held.map((held) => knownOf(rejector, held))
    expect(share(ofHeld, known.threshold)).toBeLessThan(0.1)
  })

  it('takes no more room than it may, and repeats photos of a small class', () => {
    const { directions, prototypes, perClass } = fitNearest(all.training.slice(0, 9), { ...options, most: 150 })
    expect(directions.values.length + prototypes.values.length).toBeLessThanOrEqual(150)
    expect(perClass).toBeGreaterThanOrEqual(5)
    expect(prototypes.rows).toBe(classes * perClass)
    const first = prototypes.values.slice(0, prototypes.columns)
    const fourth = prototypes.values.slice(3 * prototypes.columns, 4 * prototypes.columns)
    expect(fourth).toEqual(first)
  })
})

it('learns to refuse drawn pictures as well', () => {
  const all = photos(120)
  // Between the classes and what the others are like.
  const drawing = (): PlainView => ({
    ...view(0),
    features: view(0).features.map((value, place) => (place === 9 ? 5 : value)),
  })
  const drawings = (): PlainView[] => Array.from({ length: 40 }, drawing)
  const shareRefused = (drawn: readonly PlainView[], asked: readonly PlainView[]): number => {
    const { rejector, known } = fitRejector({ ...all, drawn }, options)!
    return share(
      asked.map((picture) => knownOf(rejector, picture)),
      known.threshold,
    )
  }
  const asked = drawings()
  expect(shareRefused(drawings(), asked)).toBeGreaterThan(shareRefused([], asked) + 0.2)
})

it('takes the form that refuses more of what it has not seen', () => {
  const all = photos(120)
  // Pictures of the classes under the name of others: there is nothing to learn from them.
  const others = all.others.map((other, place) => ({ ...view(place % classes), origin: other.origin }))
  const { known, ofOthers } = fitRejector({ ...all, others }, options)!
  expect(share(ofOthers, known.threshold)).toBeLessThan(0.2)
  const far = photos(60)
  expect(fitRejector(far, options)!.known.form).toBe('trained')
  expect(fitRejector({ ...far, others: far.others.slice(0, 49) }, options)!.known.form).toBe('nearest')
})

it('is not fitted to few photos, or without training photos of every class', () => {
  const all = photos(60)
  expect(fitRejector({ ...all, fitting: all.fitting.slice(0, 99) }, options)).toBeNull()
  expect(fitRejector({ ...all, training: all.training.filter(({ label }) => label > 0) }, options)).toBeNull()
})
