import { printable } from './printable.ts'

/** Text that is HTML already. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | Html | readonly Html[]

/** A template of HTML: every value is escaped that is not HTML itself, and what cannot be seen is made visible. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.reduce((text, part, index) => text + toText(values[index - 1]!) + part))
}

function toText(value: Value): string {
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(({ text }) => text).join('')
  return printable(String(value)).replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
