import { expect, it } from 'vitest'
import { fuzz } from './hostile/fuzz.ts'

/** Bytes: what the service is started with, the bodies that it may hold, and as much again for what reads them. */
const mostResident = 1e9

it('every hostile request is answered as declared, and a good one after all of them', async () => {
  const { kinds, violations, label, code, peak } = await fuzz({ requests: 600, seed: 1 })
  expect(violations).toEqual([])
  for (const { kind, requests, statuses } of kinds)
    expect([kind, requests > 20, statuses.size > 0]).toEqual([kind, true, true])
  expect(peak).toBeLessThan(mostResident)
  expect(label).toBe('red')
  expect(code).toBe(0)
})
