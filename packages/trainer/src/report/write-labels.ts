import { basename, join } from 'node:path'
import { writeOutput } from '../console/output.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { doubtfulCsv } from '../labels/doubtful-csv.ts'
import type { FoundLabels } from '../labels/find-doubtful.ts'
import { labelsPage, shownOf } from './page/labels-page.ts'
import { thumbnails } from './thumbnails.ts'

/** The files of `data labels` in its folder. */
export const labelFiles = { csv: 'labels.csv', page: 'labels.html', corrected: 'corrected.csv' } as const

/** Writes the doubtful labels of a DATA into a folder, as a CSV to be filled in and as a page of pictures. Returns the paths. */
export async function writeLabels(
  folder: string,
  { labels }: Pick<Dataset, 'labels'>,
  found: FoundLabels,
  data: string,
): Promise<{ csv: string; page: string }> {
  const [csv, page] = [join(folder, labelFiles.csv), join(folder, labelFiles.page)]
  const shown = shownOf(found)
  const photos = shown.flatMap(({ photo, beside }) => [photo, ...beside])
  const pictures = await thumbnails(photos.map(({ sample }) => sample.path))
  await writeOutput(page, labelsPage({ labels, source: basename(data), found }, shown, pictures))
  await writeOutput(csv, doubtfulCsv(found.doubtful, labels))
  return { csv, page }
}
