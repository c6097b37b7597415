import { FlowersError } from '@flowers/shared/errors'
import { expect, it } from 'vitest'
import { architectures, findArchitecture } from './registry.ts'

it('lists every size of ConvNeXt', () => {
  const sizes = ['atto', 'femto', 'pico', 'nano', 'tiny', 'small', 'base', 'large']
  expect(Object.keys(architectures)).toEqual(expect.arrayContaining(sizes.map((size) => `convnext_${size}`)))
  expect(findArchitecture('convnext_base').name).toBe('convnext_base')
})

it.each(['convnext_huge', 'toString', '__proto__', ''])('names the known ones when asked for "%s"', (name) => {
  expect(() => findArchitecture(name)).toThrow(FlowersError)
  expect(() => findArchitecture(name)).toThrow(/convnext_atto/)
})
