import { expect, it } from 'vitest'
import { runSchemathesis } from './schemathesis.ts'

it('Schemathesis finds nothing that differs from the OpenAPI document', async () => {
  const { text, cases, failed, code } = await runSchemathesis({ examples: 25, seed: 1 })
  expect(failed, text).toBe(false)
  expect(cases).toBeGreaterThan(1000)
  expect(code).toBe(0)
})
