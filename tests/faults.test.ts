import { testModels } from '@flowers/serve/testing/service'
import { describe, expect, it } from 'vitest'
import { freePort } from './free-port.ts'
import { faultNames, logToFullDisk, meetFault, startWithCorruptModel } from './hostile/faults.ts'

const tiny = { models: testModels, name: 'tiny', version: 1 }

/** What the command to load the model is answered with after the fault. */
const loads: Readonly<Record<string, number>> = {
  'a model folder that is removed': 404,
  'a model file that is changed while it serves': 500,
  'a new version that is corrupt': 500,
  'a disk on which no byte can be written': 200,
}

describe('while clients ask', () => {
  it.each(faultNames)('%s: every answer is right, none is missing', async (name) => {
    const { statuses, wrong, facts, code } = await meetFault(name, tiny)
    expect(Object.keys(statuses)).toEqual(['200'])
    expect(wrong).toBe(0)
    expect(facts['POST /v2/repository/models/<name>/load']).toBe(loads[name])
    if (name.endsWith('then a thread that dies')) expect(facts).toEqual({ 'workers while the file differed': 1 })
    expect(code).toBe(0)
  })
})

it('a model that is not what its manifest says is not served', async () => {
  const { code, said } = await startWithCorruptModel(tiny)
  expect(code).toBe(1)
  expect(said).toMatch(/model\.onnx/)
  expect(said).toMatch(/Copy the model folder again/)
})

it('a log that cannot be written keeps nobody from an answer', async () => {
  expect(await logToFullDisk(tiny, await freePort())).toEqual({ status: 200, code: 0 })
})
