import { fileURLToPath } from 'node:url'
import { resolveModel } from '@flowers/shared/model/package'
import { describe, expect, it } from 'vitest'
import { freePort } from './free-port.ts'
import { faultNames, logToFullDisk, meetFault, startWithCorruptModel } from './hostile/faults.ts'

const models = fileURLToPath(new URL('../models', import.meta.url))
const garden = { ...(await resolveModel(models, 'garden18')), models }

describe('while clients ask the model that is shipped', () => {
  it.each(faultNames)('%s: every answer is right, none is missing', async (name) => {
    const { statuses, wrong, facts, code } = await meetFault(name, garden)
    console.log(`${statuses[200]} answers`, facts)
    expect(Object.keys(statuses)).toEqual(['200'])
    expect(wrong).toBe(0)
    expect(code).toBe(0)
  })
})

it('starts with neither a corrupt model nor a need for its log', async () => {
  expect((await startWithCorruptModel(garden)).code).toBe(1)
  expect(await logToFullDisk(garden, await freePort())).toEqual({ status: 200, code: 0 })
})
