import { expect, it } from 'vitest'
import { commonFolder } from './pretrained-features.ts'

it.each([
  [['/a/b/c/1.jpg', '/a/b/d/2.jpg'], '/a/b'],
  [['/a/b/1.jpg'], '/a/b'],
  [['/a/bc/1.jpg', '/a/b/2.jpg'], '/a'],
  [['/a/1.jpg', '/b/2.jpg'], '/'],
])('the folder of %j is %s', (paths, folder) => {
  expect(commonFolder(paths)).toBe(folder)
})
