import { expect, it } from 'vitest'
import { fuzz } from './hostile/fuzz.ts'

/** Growth of the resident memory over the second half of the requests, in bytes. */
const tolerance = 100e6

/** Bytes: what the service is started with, the bodies that it may hold, and as much again for what reads them. */
const mostResident = 1e9

it('12,000 hostile requests: nothing stops, nothing hangs, every one is answered as declared', async () => {
  const { kinds, violations, label, code, resident, peak } = await fuzz({ requests: 12_000, seed: 2 })
  console.table(kinds.map(({ kind, requests, closed }) => ({ kind, requests, closed })))
  console.log(`resident MB: ${resident.map((bytes) => Math.round(bytes / 1e6)).join(' -> ')}`)
  console.log(`resident at most: ${Math.round(peak / 1e6)} MB`)
  expect(violations).toEqual([])
  expect(resident[1] - resident[0]).toBeLessThan(tolerance)
  expect(peak).toBeLessThan(mostResident)
  expect(label).toBe('red')
  expect(code).toBe(0)
})
