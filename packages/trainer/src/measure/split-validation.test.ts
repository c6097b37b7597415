import { expect, it } from 'vitest'
import { calibrationHalves, choosingPhotos, splitValidation } from './split-validation.ts'

const photos = Array.from({ length: 401 }, (_, index) => index)

it('has every photo in one half', () => {
  const { fit, held } = splitValidation(photos, 1)
  expect([fit.length, held.length]).toEqual([200, 201])
  expect([...fit, ...held].sort((a, b) => a - b)).toEqual(photos)
  expect(splitValidation(photos, 1)).toEqual({ fit, held })
  expect(splitValidation(photos, 2).fit).not.toEqual(fit)
})

it('chooses by photos that calibration is not fitted on', () => {
  const { fit } = splitValidation(photos, 7)
  const choosing = new Set(choosingPhotos(photos, 'half', 7))
  expect(choosing.size).toBe(201)
  expect(fit.filter((photo) => choosing.has(photo))).toEqual([])
})

it('chooses by all of them where told, and where they are few', () => {
  expect(choosingPhotos(photos, 'all', 7)).toEqual(photos)
  expect(choosingPhotos(photos.slice(0, 199), 'half', 7)).toHaveLength(199)
  expect(choosingPhotos(photos.slice(0, 200), 'half', 7)).toHaveLength(100)
})

it('calibrates by photos that chose nothing, or by none', () => {
  expect(calibrationHalves(photos, 'half', 7)!.held).toEqual(choosingPhotos(photos, 'half', 7))
  expect(calibrationHalves(photos, 'all', 7)).toBeNull()
  expect(calibrationHalves(photos.slice(0, 199), 'half', 7)).toBeNull()
  expect(calibrationHalves(photos.slice(0, 199), 'none', 7)).toBeNull()
  expect(calibrationHalves(photos.slice(0, 200), 'none', 7)!.fit).toHaveLength(100)
})
