import { expect, it } from 'vitest'
import { fewShot } from './few-shot.ts'

const recallOf = (recall: number, photos = 4) => ({ recall, photos, precision: 0, f1: 0 })

it('takes the classes under 20 training photos', () => {
  const classes = [recallOf(1), recallOf(0.5), recallOf(0.25), recallOf(0)]
  expect(fewShot(classes, [100, 19, 7, 20])).toMatchObject({ recall: 0.375, classes: 2, largest: 19 })
})

it('takes the third with the fewest where none has so few', () => {
  const classes = [recallOf(1), recallOf(0.5), recallOf(0.25), recallOf(0)]
  expect(fewShot(classes, [90, 30, 80, 40])).toMatchObject({ recall: 0.25, classes: 2, largest: 40 })
})

it('leaves out classes that have nothing to validate on', () => {
  expect(fewShot([recallOf(0, 0), recallOf(0.5)], [3, 5])).toMatchObject({ recall: 0.5, classes: 1, largest: 5 })
  expect(fewShot([recallOf(0, 0), recallOf(0.5)], [3, 50])).toBeNull()
})
