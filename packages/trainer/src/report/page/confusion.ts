import { html, type Html } from '@flowers/shared/html'
import { colors } from '../charts/chart.ts'
import { confusionChart, mostDrawn } from '../charts/heat-map.ts'
import type { ConfusedPair, Findings, RunFacts } from '../facts.ts'
import { percent, plural } from '../../console/format.ts'
import type { Measures } from '../../measure/measure.ts'
import { figure, key, type Section } from './parts.ts'
import { photoList, type Pictures } from './photos.ts'

export function confusionSection(
  { labels, counts }: RunFacts,
  { measures, pairs }: Findings,
  pictures: Pictures,
): Section {
  const body = html`${labels.length > mostDrawn ? html`<p>A matrix of ${labels.length} classes is too large to be looked at.</p>` : matrix(measures, labels)}
    <h3>Most confused pairs</h3>
    ${pairs.length === 0 ? html`<p>No validation photo is called wrongly.</p>` : pairList(pairs, { labels, counts }, pictures)}`
  return { id: 'confusion', title: 'Confusion', body }
}

const matrix = ({ confusion }: Measures, labels: readonly string[]): Html =>
  html`${key([
    { color: colors.valid, mark: 'box', name: 'right' },
    { color: colors.wrong, mark: 'box', name: 'wrong' },
  ])}
  ${figure(
    'Confusion matrix',
    confusionChart(confusion, labels),
    'A row is a class as labelled, a column what the model says; the stronger the colour, the larger the share of the row. Colour off the diagonal is confusion; a column of it is a class the model says too often.',
  )}`

function pairList(
  pairs: readonly ConfusedPair[],
  { labels, counts }: Pick<RunFacts, 'labels' | 'counts'>,
  pictures: Pictures,
): Html {
  const items = pairs.map(({ truth, predicted, photos, wrong, examples }) => {
    const of = counts.valid[truth]!
    const title = html`<h3>
      ${labels[truth]!} called <span class="wrong">${labels[predicted]!}</span>: ${photos} of ${plural(of, 'photo')}
    </h3>`
    if (pictures === null) return html`<li>${title}</li>`
    const shown = [
      ...wrong.map((photo) => ({
        photo,
        caption: html`<span class="wrong">${percent(photo.scores[predicted]!)} sure</span>`,
      })),
      ...examples.map((photo) => ({ photo, caption: html`<small>a sure ${photo.sample.label}</small>` })),
    ]
    return html`<li>${title}${photoList(shown, pictures)}</li>`
  })
  return html`<p class="note">
      The most frequent wrong
      answers${pictures === null ? '' : ', with the surest of them first, then a sure example of each of the two classes'}.
    </p>
    <ol class="pairs">
      ${items}
    </ol>`
}
