import { groupBy } from '@flowers/shared/group-by'
import { argmax } from '@flowers/shared/model/views'
import { bootstrapInTurns, exactShare, type MeasuredShare } from './bootstrap.ts'
import { countAnswers, macroF1, perClass, type AnswerCounts, type ClassMetrics } from './metrics.ts'
import type { PolicyAnswer } from './calibrate.ts'

/** How good answers are, each share with its 95 % interval. */
export interface Measures {
  readonly top1: MeasuredShare
  readonly top5: MeasuredShare
  readonly macroF1: MeasuredShare
  readonly classes: readonly ClassMetrics[]
  /** Every answer that a class got, right ones included, by truth, then by answer: of many classes most pairs never occur. */
  readonly confusion: readonly Confusion[]
}

/** Measures of answers over `classes` classes; at least one answer. Rejects with the reason of an aborted signal. */
export async function measure(
  answers: readonly Pick<PolicyAnswer, 'label' | 'mean'>[],
  classes: number,
  seed: number,
  signal?: AbortSignal,
): Promise<Measures> {
  const labels = answers.map(({ label }) => label)
  const predicted = answers.map(({ mean }) => argmax(mean))
  const among = (k: number): MeasuredShare =>
    exactShare(answers.filter(({ mean, label }) => isAmongBest(mean, label, k)).length, answers.length)
  const counts = countAnswers(predicted, labels, classes)
  const score = (photos: ArrayLike<number>): number => macroF1(countAnswers(predicted, labels, classes, photos))
  return {
    top1: among(1),
    top5: among(5),
    macroF1: await bootstrapInTurns(answers.length, score, { seed, signal, ...strataOf(labels, counts) }),
    classes: perClass(counts),
    confusion: confusionOf(predicted, labels),
  }
}

/** Whether a class is among the `k` with the largest values; of equal ones the lower index comes first. */
function isAmongBest(values: ArrayLike<number>, label: number, k: number): boolean {
  const own = values[label]!
  let before = 0
  for (let index = 0; index < values.length && before < k; index++)
    before += Number(values[index]! > own || (values[index] === own && index < label))
  return before < k
}

const fewestInStratum = 5

/**
 * Resampling within classes keeps small classes from vanishing, which would pull a mean over classes down; but a class
 * of one photo would then never vary, so it is for data with some photos of each class.
 */
function strataOf(labels: readonly number[], { photos }: AnswerCounts): { strata?: readonly number[] } {
  const smallest = photos.filter((count) => count > 0).reduce((least, count) => Math.min(least, count), Infinity)
  return smallest < fewestInStratum ? {} : { strata: labels }
}

export interface Confusion {
  readonly truth: number
  readonly predicted: number
  readonly photos: number
}

function confusionOf(predicted: readonly number[], labels: readonly number[]): Confusion[] {
  const byTruth = groupBy(labels.keys(), (photo) => labels[photo]!)
  return [...byTruth]
    .flatMap(([truth, photos]) =>
      [...groupBy(photos, (photo) => predicted[photo]!)].map(([answer, { length }]) => ({
        truth,
        predicted: answer,
        photos: length,
      })),
    )
    .sort((a, b) => a.truth - b.truth || a.predicted - b.predicted)
}

/** The most frequent wrong answers, most frequent first; of equal ones the lower classes. */
export function mostConfused(confusion: Measures['confusion'], count: number): Confusion[] {
  return confusion
    .filter(({ truth, predicted }) => truth !== predicted)
    .sort((a, b) => b.photos - a.photos || a.truth - b.truth || a.predicted - b.predicted)
    .slice(0, count)
}
