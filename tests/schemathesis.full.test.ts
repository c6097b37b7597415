import { expect, it } from 'vitest'
import { runSchemathesis } from './schemathesis.ts'

it.each([1, 2, 3])('Schemathesis finds nothing in many requests, seed %i', async (seed) => {
  const { text, cases, failed, code } = await runSchemathesis({ examples: 400, seed })
  console.log(`${cases} requests`)
  expect(failed, text).toBe(false)
  expect(cases).toBeGreaterThan(5000)
  expect(code).toBe(0)
})
