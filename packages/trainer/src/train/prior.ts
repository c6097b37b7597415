import { trainCounts, type Dataset } from '../dataset/dataset.ts'
import { effectiveNumberWeights, effectivePrior, focalFactors, priorWarning } from '../optim/class-weights.ts'
import type { Phase } from '../recipe/schema.ts'

/** Entries of the metrics log; see `EffectivePrior`. */
interface PriorEntries {
  readonly effectivePrior: readonly number[]
  readonly effectivePriorSlope: number | null
}

type ClassPhase = Pick<Phase, 'classWeightBeta' | 'focalGamma' | 'samplerPower'>

/** The class weights of a phase; null if all classes weigh the same. */
export const classWeightsOf = (
  { classWeightBeta }: ClassPhase,
  dataset: Pick<Dataset, 'labels' | 'train'>,
): number[] | null => (classWeightBeta === null ? null : effectiveNumberWeights(trainCounts(dataset), classWeightBeta))

/** Follows the class prior that the loss of a phase sees, and warns once if it goes beyond balance. */
export function watchPrior(
  phase: ClassPhase,
  dataset: Pick<Dataset, 'labels' | 'train' | 'valid'>,
  warn: (line: string) => void,
) {
  const { focalGamma, samplerPower } = phase
  const { labels, valid } = dataset
  let isWarned = false
  const entriesOf = (corrections: string, focus: readonly number[] | null): PriorEntries => {
    const { prior, slope } = effectivePrior(trainCounts(dataset), samplerPower, classWeightsOf(phase, dataset), focus)
    const warning = isWarned ? null : priorWarning(slope, corrections)
    if (warning !== null) warn(warning)
    isWarned ||= warning !== null
    return { effectivePrior: prior, effectivePriorSlope: slope }
  }
  return {
    /** The prior by sampler and class weights, which stays the same throughout the phase. */
    atStart: (): PriorEntries => entriesOf('sampler and class weights', null),
    /**
     * The prior with the focal loss, which changes as the network learns; empty without focal loss.
     * @param own probability of its own label of each validation photo
     */
    afterEpoch(own: readonly number[]): Partial<PriorEntries> {
      if (focalGamma === 0) return {}
      const photos = valid.map(({ index }, position) => ({ index, own: own[position]! }))
      return entriesOf('sampler, class weights and focal loss', focalFactors(photos, labels.length, focalGamma))
    },
  }
}
