import { argmax } from '@flowers/shared/model/views'
import type { Audit } from '../dataset/audit.ts'
import { calibrateTemperature, eceBins } from '../measure/calibrate.ts'
import { measureCalibrationError, reliabilityBins, type ReliabilityBin } from '../measure/calibration-error.ts'
import { doubtfulPhotos, type DoubtfulPhoto, type JudgedPhoto } from '../labels/doubtful.ts'
import { measure, mostConfused, type Confusion, type Measures } from '../measure/measure.ts'
import { fewestToFit } from '../measure/split-validation.ts'
import { whyNotFitted } from '../measure/why-not-fitted.ts'
import { shotGroups, type ShotGroup, type Shots } from '../measure/shots.ts'
import type { Recipe } from '../recipe/schema.ts'
import type { RunHistory } from '../run/history.ts'

/** What is known of a run and of what its network says. */
export interface RunFacts {
  readonly recipe: Recipe
  readonly labels: readonly string[]
  /** Photos by class. */
  readonly counts: { readonly train: readonly number[]; readonly valid: readonly number[] }
  readonly splitBy: 'given' | 'stratified'
  /** Last part of DATA. */
  readonly source: string
  readonly sha256: string
  /** Photos left out. */
  readonly excluded: readonly string[]
  readonly audit: Pick<Audit, 'checked' | 'problems' | 'errors' | 'warnings'> | null
  readonly history: RunHistory
  readonly checkpoint: { readonly phase: string; readonly epoch: number; readonly size: number }
  /** Weights of the network. */
  readonly parameters: number
  readonly environment: Readonly<Record<string, unknown>>
  /** Every validation photo. */
  readonly valid: readonly JudgedPhoto[]
  /** Training photos: all, or a seeded sample; none where `outOfFold` is there. */
  readonly train: readonly JudgedPhoto[]
  /** All of both splits as `data labels` judges them, by a head that has not seen them; null where their features are not known. */
  readonly outOfFold: readonly JudgedPhoto[] | null
}

export interface ConfusedPair extends Confusion {
  /** The surest of the wrong answers. */
  readonly wrong: readonly JudgedPhoto[]
  /** A photo that is surely right, of each of the two classes, where there is one. */
  readonly examples: readonly JudgedPhoto[]
}

export interface Doubtful {
  /** The most doubtful first. */
  readonly photos: readonly DoubtfulPhoto[]
  /** How many there are. */
  readonly total: number
}

export interface Findings {
  readonly measures: Measures
  readonly groups: Record<Shots, ShotGroup>
  /** Calibration error over all validation photos, as the network answers, with its 95 % interval; null of under 100. */
  readonly ece: { readonly value: number; readonly low: number; readonly high: number } | null
  readonly bins: readonly ReliabilityBin[]
  /** A temperature fitted on the half that chose nothing, tried on the other; null: none was fitted. */
  readonly temperature: ReturnType<typeof calibrateTemperature>
  /** Why none was fitted, where none was. */
  readonly whyNotFitted: string
  readonly pairs: readonly ConfusedPair[]
  /** Wrong answers on validation photos, highest loss first. */
  readonly mistakes: readonly JudgedPhoto[]
  /** How many there are in all. */
  readonly wrong: number
  readonly doubtful: Readonly<Record<'train' | 'valid', Doubtful>>
}

/** How many pictures of each kind a report shows: together well under its size. */
const most = { pairs: 12, wrongOfPair: 3, mistakes: 24, doubtful: { train: 24, valid: 16 } }

export const answerTo = ({ scores }: JudgedPhoto): number => argmax(scores)

const own = ({ scores, sample }: JudgedPhoto): number => scores[sample.index]!

const surest = (photos: readonly JudgedPhoto[], label: number): JudgedPhoto[] =>
  photos.toSorted((a, b) => b.scores[label]! - a.scores[label]!)

/** Everything a report says beyond the run folder, from what the network says of the photos. Rejects with the reason of an aborted signal. */
export async function findingsOf(
  { recipe, labels, counts, valid, train, outOfFold }: RunFacts,
  signal?: AbortSignal,
): Promise<Findings> {
  const answers = valid.map(({ sample, scores }) => ({ label: sample.index, mean: Float64Array.from(scores) }))
  const measures = await measure(answers, labels.length, recipe.seed, signal)
  const choosing = recipe.data.selection
  const said = valid.map(answerTo)
  const right = valid.map(({ sample }, photo) => said[photo] === sample.index)
  const confidences = valid.map(({ scores }, photo) => scores[said[photo]!]!)
  const wrong = valid.filter((_, index) => !right[index]).toSorted((a, b) => own(a) - own(b))
  return {
    measures,
    groups: shotGroups(measures.classes, counts.train),
    ece: valid.length < fewestToFit ? null : measureCalibrationError(confidences, right, eceBins),
    bins: reliabilityBins(confidences, right, eceBins),
    temperature: calibrateTemperature(answers, { seed: recipe.seed, choosing }),
    whyNotFitted: whyNotFitted({ valid: valid.length, choosing, train: counts.train.reduce((a, b) => a + b, 0) }),
    pairs: mostConfused(measures.confusion, most.pairs).map((pair) => pairOf(pair, valid, said)),
    mistakes: wrong.slice(0, most.mistakes),
    wrong: wrong.length,
    doubtful: doubtfulIn(outOfFold, { train, valid }),
  }
}

/** By what `data labels` hears where that is known, else by the network's own answers. */
function doubtfulIn(
  outOfFold: RunFacts['outOfFold'],
  own: Readonly<Record<'train' | 'valid', readonly JudgedPhoto[]>>,
): Findings['doubtful'] {
  const all = outOfFold && doubtfulPhotos(outOfFold)
  const of = (split: 'train' | 'valid'): Doubtful => {
    // Of the photos it was trained on the network is surer: each split has its own idea of confident.
    const found = all ? all.filter(({ photo }) => photo.split === split) : doubtfulPhotos(own[split])
    return { photos: found.slice(0, most.doubtful[split]), total: found.length }
  }
  return { train: of('train'), valid: of('valid') }
}

function pairOf(pair: Confusion, valid: readonly JudgedPhoto[], said: readonly number[]): ConfusedPair {
  const answered = (truth: number, answer: number): JudgedPhoto[] =>
    surest(
      valid.filter(({ sample }, photo) => sample.index === truth && said[photo] === answer),
      answer,
    )
  const { truth, predicted } = pair
  return {
    ...pair,
    wrong: answered(truth, predicted).slice(0, most.wrongOfPair),
    examples: [truth, predicted].flatMap((label) => answered(label, label).slice(0, 1)),
  }
}
