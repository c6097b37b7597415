import { describe, expect, it } from 'vitest'
import { html } from './html.ts'

describe('html', () => {
  it('escapes text and keeps what is HTML', () => {
    const name = `<img src=x onerror="alert('1')">&`
    const list = ['a', 'b'].map((each) => html`<i>${each}</i>`)
    const { text } = html`<p title="${name}">${name}${list}${3}</p>`
    const escaped = '&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;'
    expect(html`<i>${'\u001b[1mrose\u202e'}</i>`.text).toBe(String.raw`<i>\x1b[1mrose\u202e</i>`)
    expect(text).toBe(`<p title="${escaped}">${escaped}<i>a</i><i>b</i>3</p>`)
  })
})
