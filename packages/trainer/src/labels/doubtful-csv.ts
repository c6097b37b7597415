import { formatTable } from '../dataset/csv-table.ts'
import type { DoubtfulPhoto } from './doubtful.ts'

const columns = ['path', 'label', 'likely_label', 'confidence', 'decision'] as const

/** A row a photo, in the order given; `confidence` is the probability of the likely label, and `decision` is a person's to fill in. */
export const doubtfulCsv = (doubtful: readonly DoubtfulPhoto[], labels: readonly string[]): string =>
  formatTable([
    columns,
    ...doubtful.map(({ photo: { sample, scores }, suggested }) => [
      sample.id,
      sample.label,
      labels[suggested]!,
      scores[suggested]!.toFixed(4),
      '',
    ]),
  ])
