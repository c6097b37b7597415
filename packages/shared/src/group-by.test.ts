import { expect, it } from 'vitest'
import { groupBy } from './group-by.ts'

it('keeps the order of items in a group, and of groups by their first item', () => {
  const groups = groupBy(['rose', 'daisy', 'rue'], ([first]) => first)
  expect([...groups]).toEqual([
    ['r', ['rose', 'rue']],
    ['d', ['daisy']],
  ])
})
