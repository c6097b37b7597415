import { expect, it } from 'vitest'
import { suggestOthers } from './suggest-others.ts'

it.each([
  [0, 'a hundred photos of anything else, such as'],
  [1, 'anything else (there is one), such as'],
  [99, 'anything else (there are 99), such as'],
])('asks for others where there are %i', (count, words) => {
  expect(suggestOthers(count)).toContain(words)
  expect(suggestOthers(count)).toContain('others/')
})

it('asks for none where there are enough', () => {
  expect([100, 5000].map(suggestOthers)).toEqual([null, null])
})
