import { expect, it } from 'vitest'
import { fuzz } from './hostile/fuzz.ts'

/** Growth of the resident memory from the first tenth of the requests to the end, in bytes. */
const tolerance = 100e6

it('12,000 hostile requests: nothing stops, nothing hangs, every one is answered as declared', async () => {
  const { kinds, violations, label, code, resident } = await fuzz({ requests: 12_000, seed: 2 })
  console.table(kinds.map(({ kind, requests, closed }) => ({ kind, requests, closed })))
  console.log(`resident MB: ${resident.map((bytes) => Math.round(bytes / 1e6)).join(' -> ')}`)
  expect(violations).toEqual([])
  expect(resident[1] - resident[0]).toBeLessThan(tolerance)
  expect(label).toBe('red')
  expect(code).toBe(0)
})
