import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { rejectorOptions } from './options.ts'

beforeEach(() => {
  vi.stubEnv('INIT_CWD', '/home/me')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

it('takes a folder of others and a share, or neither', () => {
  expect(rejectorOptions({})).toEqual({})
  expect(rejectorOptions({ others: 'things', refuse: '0.02' })).toEqual({
    others: '/home/me/things',
    refusedShare: 0.02,
  })
})

it.each(['0', '0.6', '-1', 'many', ''])('refuses the share "%s"', (refuse) => {
  expect(() => rejectorOptions({ refuse })).toThrow('--refuse takes a share above 0, at most 0.5')
})
