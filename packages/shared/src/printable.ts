// Line breaks and tabs stay. What joins letters or emoji (U+200C, U+200D) is part of how names are written.
const hidden = /(?![\n\t])\p{Cc}|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu

const short: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\t': String.raw`\t`, '\r': String.raw`\r` }

const escaped = (character: string): string => {
  const code = character.codePointAt(0)!
  return short[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')

/**
 * Text that can do nothing but be read: characters that steer a terminal, turn the direction of writing or cannot be
 * seen are written as escapes (`\x1b`, `\u202e`), as names of files and classes may hold any.
 */
export const printable = (text: string): string => text.replace(hidden, escaped)

/** The same on one line: line breaks and tabs are escapes as well. Of a longer text the first `most` characters, and an ellipsis. */
export function oneLine(text: string, most = Infinity): string {
  const line = printable(text).replace(/[\n\t]/g, escaped)
  if (line.length <= most) return line
  const characters = Array.from(line)
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`
}
