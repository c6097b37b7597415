import { expect, it } from 'vitest'
import { weightsName } from './weights-name.ts'

it.each([
  ['/home/me/models/mine/2/weights.safetensors', 'mine/2/weights.safetensors'],
  ['efficientnet_lite0', 'efficientnet_lite0'],
  [null, null],
])('%s is named %s', (weights, name) => {
  expect(weightsName(weights)).toBe(name)
})
