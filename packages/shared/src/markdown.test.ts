import { expect, it } from 'vitest'
import { markdownTable, markdownText } from './markdown.ts'

it('writes columns of even width, and cells that cannot break the table', () => {
  expect(
    markdownTable(
      ['class', 'n'],
      [
        ['a|b', 1],
        ['<i>', 12_345],
      ],
    ),
  ).toEqual([
    String.raw`| class | n     |`,
    String.raw`| ----- | ----- |`,
    String.raw`| a\|b  | 1     |`,
    String.raw`| \<i>  | 12345 |`,
  ])
})

it.each([
  ['colts-foot', 'colts-foot'],
  ['a|b', String.raw`a\|b`],
  ['<b>x</b> &amp;', String.raw`\<b\>x\</b\> \&amp;`],
  ['*rose* __proto__ `x`', String.raw`\*rose\* \_\_proto\_\_ \`x\``],
  ['[rose](javascript:x)', String.raw`\[rose\](javascript:x)`],
  ['line\nbreak', String.raw`line\\nbreak`],
  [String.raw`back\|slash`, String.raw`back\\\|slash`],
])('writes the name %j so that it is read as it is, also in a table', (name, text) => {
  expect(markdownText(name)).toBe(text)
  expect(markdownTable(['x'], [[markdownText(name)]])[2]!.trim()).toBe(`| ${text.padEnd(3)} |`)
})
