import { html } from '@flowers/shared/html'
import { plural } from '../../console/format.ts'
import { examplesOf, type DoubtfulPhoto } from '../../labels/doubtful.ts'
import type { FoundLabels } from '../../labels/find-doubtful.ts'
import { doubted, doubtWords } from './mistakes.ts'
import { pageOf } from './page.ts'
import { photoList } from './photos.ts'

/** Photos of the likely class that stand beside a doubtful one. */
const examples = 3
/** Photos that the page shows: with their examples some megabytes. */
const mostShown = 400

interface Facts {
  readonly labels: readonly string[]
  /** Last part of DATA. */
  readonly source: string
  readonly found: Pick<FoundLabels, 'judged' | 'doubtful'>
}

interface Shown extends DoubtfulPhoto {
  readonly beside: ReturnType<typeof examplesOf>
}

/** The doubtful photos of the page, each with photos that are surely of its likely class. */
export function shownOf({ judged, doubtful }: Facts['found']): Shown[] {
  const known = new Map<number, Shown['beside']>()
  return doubtful.slice(0, mostShown).map((each) => {
    const beside = known.get(each.suggested) ?? examplesOf(judged, each.suggested, examples)
    known.set(each.suggested, beside)
    return { ...each, beside }
  })
}

/** The doubtful labels of a DATA as one HTML document that needs nothing besides itself; pictures as data URIs by path. */
export function labelsPage(
  { labels, source, found }: Facts,
  shown: readonly Shown[],
  pictures: ReadonlyMap<string, string>,
): string {
  const { doubtful, judged } = found
  const few = shown.length < doubtful.length ? ` The ${shown.length} most doubtful are below; labels.csv has all.` : ''
  const rows = shown.map(
    (each, index) =>
      html`<li>
        <h3>${index + 1}. <code>${each.photo.sample.id}</code></h3>
        ${photoList(
          [
            { photo: each.photo, caption: doubted(each, labels) },
            ...each.beside.map((photo) => ({
              photo,
              caption: html`<small>labelled</small> ${labels[each.suggested]!}`,
            })),
          ],
          pictures,
        )}
      </li>`,
  )
  return pageOf(
    `Labels of ${source}`,
    html`<header>
        <h1>Labels of ${source} worth a second look</h1>
        <p>${plural(doubtful.length, 'label')} of ${plural(judged.length, 'photo')} in doubt.${few}</p>
        <p>
          ${doubtWords} Each photo was judged by a small model (a head on pretrained features) that has not seen it. The
          percentages are what that model says; how often it is right was not measured. Beside each are the photos
          labelled with the likelier class of which it is surest.
        </p>
        <p>
          What is to become of a photo goes into the column <code>decision</code> of <code>labels.csv</code>, in which
          the photos have the same order: nothing where the label is right, <code>drop</code> to leave the photo out, or
          the right label (<code>new:</code> before it where no class has it yet).
        </p>
      </header>
      <main>
        <ol class="pairs">
          ${rows}
        </ol>
      </main>`,
  )
}
