import { html, type Html } from '@flowers/shared/html'
import type { JudgedPhoto } from '../../labels/doubtful.ts'

/** Data URIs by path; null: a report without photos. */
export type Pictures = ReadonlyMap<string, string> | null

export interface Captioned {
  readonly photo: JudgedPhoto
  readonly caption: Html
}

/** Photos with what there is to say of each; in a report without photos their names stand in for them. */
export const photoList = (photos: readonly Captioned[], pictures: Pictures): Html =>
  html`<ul class="photos">
    ${photos.map(
      ({ photo, caption }) =>
        html`<li>
          <figure>
            ${picture(photo, pictures)}
            <figcaption>${caption}</figcaption>
          </figure>
        </li>`,
    )}
  </ul>`

function picture({ sample }: JudgedPhoto, pictures: Pictures): Html {
  if (pictures === null) return html`<code>${sample.id}</code>`
  const uri = pictures.get(sample.path)
  if (uri === undefined) return html`<code>${sample.id}</code>`
  return html`<img src="${uri}" alt="photo labelled ${sample.label}" title="${sample.id}" width="96" height="96" />`
}
