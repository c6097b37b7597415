import { groupBy } from '@flowers/shared/group-by'
import { expectedCalibrationError, mostError } from './calibration-error.ts'
import { evenOddsWeights, fitPlatt, type PlattScaling } from './even-odds.ts'
import { fitNearest, type OwnView } from './fit-nearest.ts'
import { fitTrained, type OtherView } from './fit-trained.ts'
import { mean } from './mean.ts'
import { refusalThreshold } from './refusal-threshold.ts'
import { knownOf, rejectorScore, sigmoid, type PlainView, type Rejector } from './rejector.ts'
import { foldsOf } from './species.ts'
import { fewestToFit } from './split-validation.ts'

/** With fewer photos of others their directions are mostly noise, and the nearest form tells more. */
const fewestOthers = 50

/** The photos that a rejector is fitted on and measured with. */
export interface RejectorPhotos {
  /** Photos that the network has learnt from, of every class. */
  readonly training: readonly OwnView[]
  /** Validation photos that chose nothing, to fit on; and the others, to measure with. */
  readonly fitting: readonly PlainView[]
  readonly held: readonly PlainView[]
  /** Pictures of anything else, of which there may be none. */
  readonly others: readonly OtherView[]
  /** Drawn pictures without a flower, which the trained form learns to refuse as well. */
  readonly drawn: readonly PlainView[]
}

export interface RejectorOptions {
  readonly classes: number
  /** Of answers from one view. */
  readonly temperature: number
  readonly seed: number
  /** Share of photos of the classes that may be refused, in (0, 1). */
  readonly refusedShare: number
  /** Values of float32 that prototypes may take. */
  readonly most: number
}

export interface FittedRejector {
  readonly rejector: Rejector
  /** Of the manifest. */
  readonly known: {
    readonly form: Rejector['form']
    readonly threshold: number
    readonly refusedShare: number
    readonly count: number
    readonly isCalibrated: boolean
  }
  /** `known` of each of the others, by weights that never saw its species. */
  readonly ofOthers: readonly number[]
  /** Calibration error of `known` at even odds, on photos that it was not fitted on. Null: it is not calibrated. */
  readonly ece: number | null
}

/**
 * Fits what refuses a picture of none of the classes: without photos of others the nearest form, with them the form that
 * refuses more of those that it has not seen, which is the trained one unless the photos are few. Null where they are too few
 * for either.
 */
export function fitRejector(photos: RejectorPhotos, options: RejectorOptions): FittedRejector | null {
  const { fitting, others, training } = photos
  if (fitting.length < fewestToFit || new Set(training.map(({ label }) => label)).size < options.classes) return null
  const byDistance = nearest(photos, options)
  const byOthers = others.length < fewestOthers ? null : trained(photos, options)
  if (!byOthers || !byDistance) return byOthers ?? byDistance
  return refusedOf(byOthers, others) >= refusedOf(byDistance, others) ? byOthers : byDistance
}

/** Share of others that are refused, each group counting the same. */
function refusedOf({ known, ofOthers }: FittedRejector, others: readonly OtherView[]): number {
  const groups = groupBy(others.keys(), (place) => others[place]!.origin.group)
  return mean(
    [...groups.values()].map((places) => mean(places.map((place) => Number(ofOthers[place]! < known.threshold)))),
  )
}

function trained(photos: RejectorPhotos, options: RejectorOptions): FittedRejector | null {
  const { held, others } = photos
  const { rejector, ofOthers, ofFitting } = fitTrained(photos, options)
  const ofHeld = held.map((view) => rejectorScore(rejector, view))
  const platt = (places: readonly number[]): PlattScaling | null =>
    fitPlatt(
      [...ofFitting, ...places.map((place) => ofOthers[place]!)],
      [...ofFitting.map(() => ({ group: null })), ...places.map((place) => others[place]!.origin)],
    )
  const scaling = platt([...others.keys()])
  if (scaling === null) return null
  return sealed(
    rescaled(rejector, scaling),
    ofFitting.map((score) => scaledTo(score, scaling)),
    options,
    ofOthers.map((score) => scaledTo(score, scaling)),
    errorAtEvenOdds(ofHeld, ofOthers, others, platt, options.seed),
  )
}

function nearest(photos: RejectorPhotos, options: RejectorOptions): FittedRejector | null {
  const fitted = fitNearest(photos.training, options)
  const scores = photos.fitting.map((view) => rejectorScore(fitted, view))
  const middle = refusalThreshold(scores, options.refusedShare)
  if (middle === null) return null
  // What is refused is below one half; it is no probability.
  const rejector = rescaled(fitted, { slope: 1, shift: -middle })
  return sealed(
    rejector,
    photos.fitting.map((view) => knownOf(rejector, view)),
    options,
    photos.others.map((view) => knownOf(rejector, view)),
    null,
  )
}

function sealed(
  rejector: Rejector,
  ofFitting: readonly number[],
  { refusedShare }: RejectorOptions,
  ofOthers: readonly number[],
  ece: number | null,
): FittedRejector | null {
  const threshold = refusalThreshold(ofFitting, refusedShare)
  if (threshold === null) return null
  const { form } = rejector
  const known = {
    form,
    threshold,
    refusedShare,
    count: ofFitting.length,
    isCalibrated: ece !== null && ece <= mostError,
  }
  return { rejector, known, ofOthers, ece }
}

const scaledTo = (score: number, { slope, shift }: PlattScaling): number => sigmoid(slope * score + shift)

/** A rejector whose score before the sigmoid is slope x the score of another + shift. */
function rescaled(rejector: Rejector, { slope, shift }: PlattScaling): Rejector {
  const scale = { logitWeight: slope * rejector.logitWeight, shift: slope * rejector.shift + shift }
  return rejector.form === 'trained'
    ? { ...rejector, ...scale, weights: rejector.weights.map((weight) => slope * weight) }
    : { ...rejector, ...scale, cosineWeight: slope * rejector.cosineWeight }
}

/** Each half of the others, by species, is scaled by a fit to the other half; photos of the classes are those held back. */
function errorAtEvenOdds(
  ofHeld: readonly number[],
  outOfFold: readonly number[],
  others: readonly OtherView[],
  platt: (places: readonly number[]) => PlattScaling | null,
  seed: number,
): number | null {
  const halves = foldsOf(
    others.map(({ origin }) => origin),
    2,
    seed,
  )
  const pictures: { known: number; group: string | null }[] = []
  for (const half of [0, 1]) {
    const scaling = platt([...others.keys()].filter((place) => halves[place] !== half))
    if (scaling === null) return null
    for (const score of ofHeld) pictures.push({ known: scaledTo(score, scaling), group: null })
    for (const [place, { origin }] of others.entries())
      if (halves[place] === half) pictures.push({ known: scaledTo(outOfFold[place]!, scaling), group: origin.group })
  }
  return expectedCalibrationError(
    pictures.map(({ known }) => known),
    pictures.map(({ group }) => group === null),
    15,
    evenOddsWeights(pictures),
  )
}
