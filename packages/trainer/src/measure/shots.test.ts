import { expect, it } from 'vitest'
import { countAnswers, perClass } from './metrics.ts'
import { shotGroups } from './shots.ts'

it('groups classes by their training photos', () => {
  const classes = perClass(countAnswers([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1], 4))
  const groups = shotGroups(classes, [101, 100, 5, 5])
  expect(groups.many).toMatchObject({ classes: 1, photos: 2, recall: 1, high: 1 })
  expect(groups.many.low).toBeLessThan(0.2)
  expect(groups.medium).toMatchObject({ classes: 1, photos: 4, recall: 0.5 })
  expect(groups.few).toEqual({ classes: 0, photos: 0, recall: null, low: null, high: null })
  expect(shotGroups(classes, [19, 20, 5, 5]).few.classes).toBe(1)
})
