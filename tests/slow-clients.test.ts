import { expect, it } from 'vitest'
import { lastWords, slowClients, slowKinds } from './hostile/slow-clients.ts'

it('clients that are slow in every way keep nobody waiting, and are cut', async () => {
  const { ends, others, code } = await slowClients(slowKinds, 30)
  expect([...others.keys()]).toEqual([200])
  expect(ends).toEqual(lastWords(slowKinds, 30))
  expect(code).toBe(0)
})
