import { expect, it } from 'vitest'
import { lastWords, slowClients, slowKinds } from './hostile/slow-clients.ts'

const clients = 2000

it.each(slowKinds)(`${clients} clients: %s`, async (kind) => {
  const { ends, others, slowestMs, bytes, code } = await slowClients([kind], clients)
  const answered = [...others.values()].reduce((sum, count) => sum + count, 0)
  console.log(`${answered} others, slowest ${Math.round(slowestMs)} ms; ${Math.round(bytes / 1e6)} MB more`)
  expect([...others.keys()]).toEqual([200])
  expect(ends).toEqual(lastWords([kind], clients))
  // With what garbage collection leaves lying about for a while.
  expect(bytes / clients).toBeLessThan(400_000)
  expect(code).toBe(0)
})
