import { html, type Html } from '@flowers/shared/html'

export interface Section {
  readonly id: string
  readonly title: string
  readonly body: Html
}

export const section = ({ id, title, body }: Section): Html =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${body}
  </section>`

/** What may be wider than the window scrolls by itself, also by the keyboard. */
export const scroller = (name: string, content: Html): Html =>
  html`<div class="wide" tabindex="0" role="region" aria-label="${name}">${content}</div>`

/** A chart with a sentence that says what to see in it. */
export const figure = (title: string, chart: Html, caption: string): Html =>
  html`<figure>
    <h3>${title}</h3>
    ${scroller(title, chart)}
    <figcaption>${caption}</figcaption>
  </figure>`

/** How a line or mark of a chart looks, and what it is. */
export interface KeyEntry {
  readonly color: string
  readonly mark: 'line' | 'dashed' | 'dot' | 'box'
  readonly name: string
}

export const key = (entries: readonly KeyEntry[]): Html =>
  html`<ul class="key">
    ${entries.map(
      ({ color, mark, name }) =>
        html`<li><i class="${mark}" style="color:${color}" aria-hidden="true"></i>${name}</li>`,
    )}
  </ul>`

export interface Column {
  readonly name: string
  readonly number?: boolean
}

/** Rows of a table; the first cell names the row. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly (Html | string)[])[],
): Html {
  const kind = (index: number): string => (columns[index]?.number === true ? 'number' : 'text')
  const head = columns.map(({ name }, index) => html`<th scope="col" class="${kind(index)}">${name}</th>`)
  const body = rows.map(
    ([first = '', ...rest]) =>
      html`<tr>
        <th scope="row">${first}</th>
        ${rest.map((cell, index) => html`<td class="${kind(index + 1)}">${cell}</td>`)}
      </tr>`,
  )
  return scroller(
    caption,
    html`<table>
      <caption>
        <span class="stay">${caption}</span>
      </caption>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>`,
  )
}
