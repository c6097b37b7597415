import { openModel } from '@flowers/shared/model/package'
import type { Manifest } from '@flowers/shared/model/manifest'
import type { Level } from '@flowers/shared/model/calibration'
import { argmax, type ViewPolicy } from '@flowers/shared/model/views'
import {
  abstentionOf,
  accuracyByViews,
  answerOf,
  calibrationErrors,
  setsOf,
  type CalibrationErrors,
  type PolicyQuality,
} from '../measure/calibrate.ts'
import { stopAt } from '../measure/fast-margin.ts'
import { mean } from '../measure/mean.ts'
import { levelsOf, type LevelQuality } from '../measure/levels.ts'
import { measure, mostConfused, type Measures } from '../measure/measure.ts'
import type { ClassMetrics } from '../measure/metrics.ts'
import { shotGroups, type ShotGroup } from '../measure/shots.ts'
import { whyNotFitted } from '../measure/why-not-fitted.ts'
import { calibrationHalves, type Choosing } from '../measure/split-validation.ts'
import { choosingOf, fittingFactsOf } from './choosing-of-model.ts'
import { openNetwork } from './network.ts'
import { openPhotosOf, type EvaluatedSplit, type PhotosOfModel } from './photos-of-model.ts'
import { scorePhotos } from './score-photos.ts'
import { measureViewCosts, type ViewCosts } from './view-costs.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

export interface EvaluateOptions {
  /** A model folder. */
  readonly model: string
  /** DATA of the command line. */
  readonly data: string
  readonly split: EvaluatedSplit
  readonly views: ViewPolicy
  readonly onProgress?: OnProgress
  /** Photos of which the views were timed so far, of all. */
  readonly onTimed?: OnProgress
}

export interface Evaluation extends Pick<Measures, 'top1' | 'top5' | 'macroF1'> {
  readonly model: { readonly name: string; readonly version: number; readonly size: number }
  readonly data: {
    readonly path: string
    readonly split: EvaluatedSplit
    /** Of the data with its split; null where the split does not matter. */
    readonly sha256: string | null
    /** The data gives no split, so that these are a part of it that was chosen. */
    readonly chosen: boolean
    /** The photos and the split are those the model was trained and calibrated on. */
    readonly asTrained: boolean
    /** Which of these photos chose the checkpoint. */
    readonly choosing: Choosing
    /** Photos, of whichever split, that are left out because the run left them out. */
    readonly excluded: number
    readonly photos: number
    readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
    /** Files and folders of the data that are not used, but for what systems make. */
    readonly passedOver: readonly { readonly path: string; readonly reason: string }[]
  }
  readonly views: {
    readonly policy: ViewPolicy
    readonly of: number
    readonly meanUsed: number
    /** `used[k-1]`: photos that were answered after k views. */
    readonly used: readonly number[]
    /** Share of photos with another label than from all views; null when one view is all that was run. */
    readonly disagreement: number | null
  }
  /** Before and after the temperature of the manifest. Null: it has none, or the photos are under 100. */
  readonly ece: CalibrationErrors | null
  /** Why the model is not calibrated; null: it is. */
  readonly notFitted: string | null
  readonly set: PolicyQuality['set']
  /** What refusing as none of the classes does; null where nothing is refused. */
  readonly abstention: PolicyQuality['abstention']
  /** Answers by their level. */
  readonly levels: Readonly<Record<Level, LevelQuality>>
  /** Top-1 from the first k views alone: what each view adds, and what it costs. */
  readonly byViews: readonly {
    readonly views: number
    readonly flip: string
    readonly scale: number
    readonly top1: number
    /** Of the k-th view alone, a photo, on this machine; see `measureViewCosts`. */
    readonly milliseconds: number
  }[]
  /** Photos that the milliseconds of `byViews` are the median of. */
  readonly timedPhotos: number
  readonly groups: Record<'many' | 'medium' | 'few', ShotGroup>
  readonly classes: readonly (ClassMetrics & { readonly label: string })[]
  /** All wrong answers, the most frequent first. */
  readonly confused: readonly { readonly truth: string; readonly predicted: string; readonly photos: number }[]
  /** `confusion[truth][predicted]`: photos. Null where the classes are too many for a matrix. */
  readonly confusion: readonly (readonly number[])[] | null
}

/**
 * Scores an exported model on the photos of one split, through the service's own preprocessing, views and calibration.
 * Throws what `openModel` and `openDataset` throw, EVALUATE_LABELS for photos of classes that the model does not have,
 * and DATA_EMPTY when the split holds no readable photo.
 */
export async function evaluateModel(options: EvaluateOptions): Promise<Evaluation> {
  const { network: path, manifest } = await openModel(options.model)
  const { samples, ...data } = await openPhotosOf(manifest, options)
  const network = await openNetwork(path, manifest.preprocessing.size)
  try {
    const { preprocessing } = manifest
    const views = options.views === 'none' ? manifest.views.slice(0, 1) : manifest.views
    const scored = await scorePhotos(network, samples, { preprocessing, views, onProgress: options.onProgress })
    if (scored.photos.length === 0)
      throw new TrainerError('DATA_EMPTY', `No photo of the split ${options.split} can be read.`)
    const unreadable = new Set(scored.unreadable.map(({ path: id }) => id))
    const readable = samples.filter(({ id }) => !unreadable.has(id))
    const costs = await measureViewCosts(network, readable, { preprocessing, views, onProgress: options.onTimed })
    return await summarize(options, manifest, data, scored, costs)
  } finally {
    await network.release()
  }
}

async function summarize(
  options: EvaluateOptions,
  manifest: Manifest,
  { sha256, excluded, chosen, passedOver }: Omit<PhotosOfModel, 'samples'>,
  { photos, unreadable }: Awaited<ReturnType<typeof scorePhotos>>,
  costs: ViewCosts,
): Promise<Evaluation> {
  const { labels, calibration } = manifest
  const answers = photos.map((photo) => answerOf(photo, options.views, calibration))
  const of = photos[0]?.views.length ?? 0
  const { classes, confusion, ...shares } = await measure(answers, labels.length, manifest.data.seed)
  const trainCounts = manifest.classPrior.map((share) => Math.round(share * manifest.data.train))
  return {
    model: { name: manifest.name, version: manifest.version, size: manifest.preprocessing.size },
    data: {
      path: options.data,
      split: options.split,
      sha256,
      chosen,
      asTrained: sha256 === manifest.data.sha256,
      choosing: choosingOfSplit(manifest, options.split, sha256, photos.length),
      excluded,
      photos: photos.length,
      unreadable,
      passedOver: passedOver.filter(({ system }) => !system).map(({ id, reason }) => ({ path: id, reason })),
    },
    views: {
      policy: options.views,
      of,
      meanUsed: mean(answers.map(({ used }) => used)),
      used: Array.from({ length: of }, (_, index) => answers.filter(({ used }) => used === index + 1).length),
      disagreement:
        of === 1
          ? null
          : mean(
              answers.map((answer, index) =>
                Number(argmax(answer.mean) !== argmax(stopAt(photos[index]!.views, 'full', null).mean)),
              ),
            ),
    },
    ...shares,
    ece: calibration.temperature && calibrationErrors(answers),
    notFitted: calibration.temperature ? null : whyNotFitted(fittingFactsOf(manifest)),
    set: setsOf(answers, calibration),
    abstention: abstentionOf(answers, calibration),
    levels: levelsOf(answers, manifest),
    byViews: accuracyByViews(photos).map((top1, index) => {
      const { flip, scale } = manifest.views[index]!
      return { views: index + 1, flip, scale, top1, milliseconds: costs.milliseconds[index]! }
    }),
    timedPhotos: costs.photos,
    groups: shotGroups(classes, trainCounts),
    classes: classes.map((metrics, index) => ({ label: labels[index] as string, ...metrics })),
    confused: mostConfused(confusion, Infinity).map(({ truth, predicted, photos }) => ({
      truth: labels[truth] as string,
      predicted: labels[predicted] as string,
      photos,
    })),
    confusion: labels.length > mostInMatrix ? null : matrixOf(confusion, labels.length),
  }
}

function choosingOfSplit(manifest: Manifest, split: EvaluatedSplit, sha256: string | null, photos: number): Choosing {
  if (split !== 'valid' || sha256 !== manifest.data.sha256) return 'none'
  return calibrationHalves(Array(photos), choosingOf(manifest), 1) === null ? 'all' : 'half'
}

/** Classes of a matrix that can still be looked at. */
const mostInMatrix = 500

function matrixOf(confusion: Measures['confusion'], classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => Array<number>(classes).fill(0))
  for (const { truth, predicted, photos } of confusion) matrix[truth]![predicted] = photos
  return matrix
}
