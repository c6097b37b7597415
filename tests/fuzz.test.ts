import { expect, it } from 'vitest'
import { fuzz } from './hostile/fuzz.ts'

it('every hostile request is answered as declared, and a good one after all of them', async () => {
  const { kinds, violations, label, code } = await fuzz({ requests: 600, seed: 1 })
  expect(violations).toEqual([])
  for (const { kind, requests, statuses } of kinds)
    expect([kind, requests > 20, statuses.size > 0]).toEqual([kind, true, true])
  expect(label).toBe('red')
  expect(code).toBe(0)
})
