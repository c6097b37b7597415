import { expect, it } from 'vitest'
import { markdownTable } from './markdown.ts'

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
