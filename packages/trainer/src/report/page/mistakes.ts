import { html, type Html } from '@flowers/shared/html'
import type { DoubtfulPhoto, JudgedPhoto } from '../../labels/doubtful.ts'
import { answerTo, type Doubtful, type Findings, type RunFacts } from '../facts.ts'
import { percent, plural } from '../../console/format.ts'
import type { Section } from './parts.ts'
import { photoList, type Pictures } from './photos.ts'

/** Shares near 0 and 1 are where these photos differ. */
const sure = (share: number): string => (share < 0.001 ? 'under 0.1 %' : percent(share))

const judged = ({ sample, scores }: JudgedPhoto, said: number, labels: readonly string[], verb: string) =>
  html`<strong>${sample.label}</strong> <small>${sure(scores[sample.index]!)}</small><br />${verb}
    <span class="wrong">${labels[said]!}</span> <small>${sure(scores[said]!)}</small>`

export function mistakesSection(
  { labels, valid }: RunFacts,
  { mistakes, wrong }: Findings,
  pictures: Pictures,
): Section {
  const photos = mistakes.map((photo) => ({ photo, caption: judged(photo, answerTo(photo), labels, 'says') }))
  const body =
    photos.length === 0
      ? html`<p>Every validation photo is called rightly.</p>`
      : html`<p class="note">
            ${wrong} of ${plural(valid.length, 'validation photo')} are called wrongly;
            ${wrong === photos.length ? 'all' : `the ${photos.length} with the highest loss`} are below. Each names its
            label and the probability the model gives it, then what the model says.
          </p>
          ${photoList(photos, pictures)}`
  return { id: 'mistakes', title: 'Worst mistakes', body }
}

/** What is said of a photo whose label is in doubt. */
export const doubted = ({ photo, suggested }: DoubtfulPhoto, labels: readonly string[]): Html =>
  judged(photo, suggested, labels, 'rather')

/** How labels come to be in doubt. */
export const doubtWords = html`Photos for which another class is likelier than their label, the least likely label
first. The further up, the more of them are wrong; further down most are merely hard.`

export function labelsSection(
  { labels, counts, train, valid, outOfFold, source }: RunFacts,
  { doubtful }: Findings,
  pictures: Pictures,
): Section {
  const all = counts.train.reduce((sum, count) => sum + count, 0)
  const list = ({ photos, total }: Doubtful): Html =>
    html`<p class="note">
        ${total === 0 ? 'None.' : `${plural(total, 'photo')}${total > photos.length ? `; the ${photos.length} most doubtful:` : ':'}`}
      </p>
      ${photoList(
        photos.map((each) => ({ photo: each.photo, caption: doubted(each, labels) })),
        pictures,
      )}`
  const looked = train.length === all ? `All ${all}` : `A random ${train.length} of the ${all}`
  const how =
    outOfFold === null
      ? {
          train: `${looked} training photos were looked at. The model has learned these labels and contradicts them still; a label that it has learned by heart is not found here.`,
          valid: `All ${valid.length} were looked at.`,
          all: `The command data labels --data ${source} asks a model that has not seen them, and writes down all of them to be decided on.`,
        }
      : {
          train: 'Each was judged by a small model (a head on pretrained features) that has not seen it.',
          valid: 'So was each of these.',
          all: `It is the list of the command data labels --data ${source}, which writes down all of them to be decided on.`,
        }
  const body = html`<p>${doubtWords} ${how.all}</p>
    <h3>Among training photos</h3>
    <p class="note">${how.train}</p>
    ${list(doubtful.train)}
    <h3>Among validation photos</h3>
    <p class="note">${how.valid}</p>
    ${list(doubtful.valid)}`
  return { id: 'labels', title: 'Labels worth a second look', body }
}
