import { expect, it } from 'vitest'
import { notUsed, passedOverLines, type PassedOver } from './passed-over.ts'

const pipe = (id: string): PassedOver => ({ id, reason: 'a pipe', system: false })
const made = (id: string): PassedOver => ({ id, reason: 'made', system: true })

it('names some, counts the rest, and sums up what systems make', () => {
  expect(
    passedOverLines([pipe('a'), made('x/@eaDir'), pipe('b'), made('y/@eaDir'), pipe('c'), made('Thumbs.db')], 2),
  ).toEqual(['a: a pipe', 'b: a pipe', 'and 1 more', '3 files or folders that systems make: @eaDir, Thumbs.db'])
  expect(passedOverLines([])).toEqual([])
})

it('follows an error as a sentence, empty classes first', () => {
  expect(notUsed([pipe('a')], [{ id: 'rose', reason: 'holds no photo' }])).toBe(
    ' Not used: rose: holds no photo; a: a pipe.',
  )
  expect(notUsed([], [])).toBe('')
})
