import { groupBy } from '@flowers/shared/group-by'
import { Random } from '@flowers/shared/random'
import type { Level } from '@flowers/shared/model/calibration'
import type { Manifest } from '@flowers/shared/model/manifest'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { View } from '@flowers/shared/image/view'
import type { Sample } from '../dataset/dataset.ts'
import type { OnProgress } from '../console/bar.ts'
import {
  answerOf,
  calibrate,
  type CalibrateOptions,
  type Calibration,
  type CalibrationQuality,
} from '../measure/calibrate.ts'
import type { OtherView } from '../measure/fit-trained.ts'
import { fitRejector, type FittedRejector } from '../measure/fit-rejector.ts'
import { levelsOf, type LevelQuality } from '../measure/levels.ts'
import { knownOf, type PlainView, type Rejector } from '../measure/rejector.ts'
import { shareBySpecies, shareOf } from '../measure/share-by-species.ts'
import { calibrationHalves } from '../measure/split-validation.ts'
import { drawnKind, scoreDrawn } from './drawn-pictures.ts'
import type { Network } from './network.ts'
import type { OtherPhoto } from './others.ts'
import { scorePhotos, type Scored } from './score-photos.ts'
import { TrainerError } from '../errors.ts'

export type Refusals = NonNullable<Manifest['metrics']['refusals']>

export interface CalibrateNetworkOptions extends Omit<CalibrateOptions, 'known'> {
  readonly preprocessing: Preprocessing
  readonly views: readonly View[]
  readonly labels: readonly string[]
  /** Photos that the network has learnt from, of every class. */
  readonly training: readonly Sample[]
  /** Pictures of anything that is none of the classes. */
  readonly others: readonly OtherPhoto[]
  /** Share of photos of the classes that may be refused, in (0, 1). */
  readonly refusedShare: number
  /** Size of the network's file: what the rejector adds is at most a tenth of it. */
  readonly bytes: number
  /** Drawn pictures of a kind, as in `scoreDrawn`. */
  readonly each?: number | undefined
  /** Hears of work, by its name. */
  readonly progress: (what: string) => OnProgress
}

/** What refuses, and how it did. */
export interface CalibratedRejector {
  readonly rejector: Rejector
  readonly refusals: Refusals
  /** Answers to photos that nothing was fitted on, by the policy `exact`. */
  readonly levels: Record<Level, LevelQuality>
  /** Kinds of drawn pictures that are refused least often, with the share; the least often first. */
  readonly weakKinds: readonly { readonly kind: string; readonly share: number }[]
  /** Photos of others by group that were used, and those that could not be read. */
  readonly others: { readonly photos: number; readonly unreadable: number }
}

export interface CalibratedNetwork {
  readonly calibration: Calibration
  readonly quality: CalibrationQuality
  /** With their `known`. */
  readonly photos: Scored['photos']
  /** Null: nothing is refused. */
  readonly known: CalibratedRejector | null
}

/** Drawn pictures of a kind that are enough to fit to. */
const drawnToFit = 5
/** Photos of a class that are enough: more cost time and change little. */
const mostOfClass = 80

/**
 * Calibrates on validation photos that the network has scored, with what refuses pictures of none of the classes: it is
 * fitted where the network hands out its features and there are photos enough, and measured on photos of the classes that
 * were held back, on photos of others by weights that never saw their species, and on drawn pictures.
 */
export async function calibrateNetwork(
  network: Network,
  photos: Scored['photos'],
  options: CalibrateNetworkOptions,
): Promise<CalibratedNetwork> {
  const { seed, progress } = options
  const plain = calibrate(photos, options)
  const views = viewsOf(photos)
  const found = views && (await fitKnown(network, views, plain.calibration.temperature?.[0] ?? 1, options))
  if (!found) return { ...plain, photos, known: null }
  const { fitted, held, others, unreadable } = found
  const { rejector, known } = fitted
  const scored = photos.map((photo, place) => ({ ...photo, known: knownOf(rejector, views[place]!) }))
  const refused = (values: readonly number[]): boolean[] => values.map((value) => value < known.threshold)
  const drawn = await scoreDrawn(network, {
    ...options,
    part: 'measure',
    onProgress: progress('scoring drawn pictures without a flower'),
  })
  const drawnRefused = refused((viewsOf(drawn) ?? []).map((view) => knownOf(rejector, view)))
  const othersRefused = refused(fitted.ofOthers)
  const groups = [...groupBy(others.keys(), (place) => others[place]!.origin.group)]
  const refusals: Refusals = {
    own: shareOf(refused(held.map((view) => knownOf(rejector, view)))),
    others: Object.fromEntries(
      groups.map(([group, places]) => [
        group,
        shareBySpecies(
          places.map((place) => ({ hit: othersRefused[place]!, species: others[place]!.origin.species })),
          seed,
        ),
      ]),
    ),
    drawn: shareOf(drawnRefused),
    ece: fitted.ece,
  }
  const calibrated = calibrate(scored, { ...options, known })
  const { calibration } = calibrated
  const measured = calibrationHalves(scored, options.choosing, seed)!.held
  const levels = levelsOf(
    measured.map((photo) => answerOf(photo, 'exact', calibration)),
    { labels: options.labels, calibration },
  )
  const counts = { photos: others.length, unreadable }
  return {
    ...calibrated,
    photos: scored,
    known: { rejector, refusals, levels, weakKinds: weakKinds(drawnRefused), others: counts },
  }
}

/** The plain views of photos; null where the network hands out no features. */
function viewsOf(photos: Scored['photos']): PlainView[] | null {
  const views = photos.flatMap(({ plain: { logits, features } }) => (features === null ? [] : [{ logits, features }]))
  return views.length === photos.length ? views : null
}

async function fitKnown(
  network: Network,
  views: readonly PlainView[],
  temperature: number,
  options: CalibrateNetworkOptions,
): Promise<{ fitted: FittedRejector; held: PlainView[]; others: readonly OtherView[]; unreadable: number } | null> {
  const { preprocessing, labels, seed, choosing, refusedShare, bytes, progress } = options
  const halves = calibrationHalves(views, choosing, seed)
  if (!halves) return null
  const { fit: fitting, held } = halves
  const score = async <T extends Pick<Sample, 'id' | 'index' | 'path'>>(samples: readonly T[], what: string) => {
    const first = { preprocessing, views: options.views.slice(0, 1), onProgress: progress(what) }
    const { photos, unreadable } = await scorePhotos(network, samples, first)
    const lost = new Set(unreadable.map(({ path }) => path))
    return { views: viewsOf(photos)!, read: samples.filter(({ id }) => !lost.has(id)), unreadable: unreadable.length }
  }
  const own = await score(drawnOf(options.training, seed), 'scoring training photos')
  const training = own.views.map((view, place) => ({ ...view, label: own.read[place]!.index }))
  const asSamples = options.others.map((other) => ({ ...other, index: -1 }))
  const other = await score(asSamples, 'scoring photos of others')
  if (asSamples.length > 0 && other.views.length === 0)
    throw new TrainerError('DATA_EMPTY', `None of the ${asSamples.length} photos of others can be read.`)
  const others = other.views.map((view, place) => ({ ...view, origin: other.read[place]!.origin }))
  const drawn =
    others.length === 0
      ? []
      : await scoreDrawn(network, { ...options, part: 'fit', each: drawnToFit, onProgress: undefined })
  const fitted = fitRejector(
    { training, others, fitting, held, drawn: viewsOf(drawn)! },
    { classes: labels.length, temperature, seed, refusedShare, most: Math.floor(bytes / 10 / 4) },
  )
  return fitted && { fitted, held, others, unreadable: other.unreadable }
}

/** At most so many photos of each class, drawn by the seed. */
function drawnOf(samples: readonly Sample[], seed: number): Sample[] {
  const byClass = groupBy(samples, ({ index }) => index)
  return [...byClass.values()].flatMap((own) =>
    new Random(seed, 'calibration', 1).shuffle([...own]).slice(0, mostOfClass),
  )
}

/** Kinds that are refused less often than this are named. */
const often = 0.9

function weakKinds(refused: readonly boolean[]): CalibratedRejector['weakKinds'] {
  const byKind = groupBy(refused.keys(), drawnKind)
  return [...byKind]
    .map(([kind, places]) => ({ kind, share: places.filter((place) => refused[place]).length / places.length }))
    .filter(({ share }) => share < often)
    .toSorted((a, b) => a.share - b.share)
}
