import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { exportRun } from '../export/export-run.ts'
import { readSafetensors, writeSafetensors } from '../model/weights/safetensors.ts'
import { planRun } from '../plan/start-run.ts'
import { reportRun } from '../report/report-run.ts'
import { makeTestRun, type TestRun } from '../testing/test-run.ts'
import { loadState } from '../train/checkpoints.ts'
import { readHistory } from './history.ts'
import { reportFailure } from '../cli/failure.ts'

const best = 'checkpoints/best.safetensors'
const state = 'checkpoints/last.state.safetensors'
let test: TestRun

beforeAll(async () => {
  test = await makeTestRun({ architecture: 'convnext_test', size: 32, photos: { species: 3, train: 2, valid: 1 } })
  await copyFile(at(best), at(state))
  vi.stubEnv('INIT_CWD', test.folder)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await test.remove()
})

const at = (name: string): string => join(test.run, name)

/** What may become of a file. */
const damages: Readonly<Record<string, (bytes: Buffer) => Buffer | string>> = {
  empty: () => '',
  half: (bytes) => bytes.subarray(0, bytes.length >> 1),
  'all but its end': (bytes) => bytes.subarray(0, bytes.length - 3),
  'of other JSON': () => '{"name": 1}',
  'a list': () => '[]',
  garbage: () => Buffer.from(Array.from({ length: 999 }, (_, place) => (place * 37) % 256)),
}

const commands = {
  export: () => exportRun({ run: test.run, data: test.data, out: join(test.folder, 'models', 'a', '1') }),
  report: () => reportRun({ folder: test.run }),
  resume: async () => {
    await planRun({ resume: 'run' }, () => {})
    await loadState(test.run)
  },
  'resume-if-present': () => planRun({ out: 'run', data: test.data, resumeIfPresent: true }, () => {}),
} as const

const reads: Readonly<Record<string, readonly (keyof typeof commands)[]>> = {
  'recipe.json': ['export', 'report', 'resume', 'resume-if-present'],
  'data.json': ['export', 'report', 'resume', 'resume-if-present'],
  [best]: ['export', 'report'],
  [state]: ['resume'],
}

/** What the person sees of a failure. */
async function told(command: () => Promise<unknown>): Promise<string> {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    await command()
    return 'nothing'
  } catch (error) {
    reportFailure(error)
    return said.mock.calls.map(([line]) => String(line)).join('\n')
  } finally {
    said.mockRestore()
  }
}

const cases = Object.entries(reads).flatMap(([file, readers]) =>
  Object.keys(damages).flatMap((damage) => readers.map((command) => [file, damage, command] as const)),
)

describe('a file of a run that is damaged', () => {
  let whole: Buffer
  let name: string
  afterEach(() => writeFile(at(name), whole))

  it.each(cases)('%s, %s: %s names it and says what to do', async (file, damage, command) => {
    name = file
    whole = await readFile(at(file))
    await writeFile(at(file), damages[damage]!(whole))
    const text = await told(commands[command])
    expect(text).toMatch(/\((TRAIN_RUN_DAMAGED|TRAIN_STATE_INVALID)\)/)
    expect(text.split(`run/${file}`)).toHaveLength(2)
    expect(text.split('\n')).toHaveLength(2)
    expect(text).not.toMatch(/^\s+at |Unexpected|ENOENT|SyntaxError|ZodError/m)
  })

  it.each([
    ['without what it says of itself', {}],
    ['of another epoch than a number', { phase: 'full', size: '32', epoch: 'x' }],
  ])('weights %s are told', async (_, metadata) => {
    name = best
    whole = await readFile(at(best))
    await writeSafetensors(at(best), await readSafetensors(at(best)), metadata)
    expect(await told(commands.export)).toContain(`run/${best} holds something else`)
  })

  it('weights of other classes are told', async () => {
    name = best
    whole = await readFile(at(best))
    const { metadata } = { metadata: { phase: 'full', size: '32', epoch: '1' } }
    const tensors = [...(await readSafetensors(at(best)))].slice(1)
    await writeSafetensors(at(best), new Map(tensors), metadata)
    expect(await told(commands.export)).toContain(`run/${best} is not whole`)
  })

  it('the environment is told by the report, which shows it', async () => {
    name = 'environment.json'
    whole = await readFile(at(name))
    await writeFile(at(name), '')
    expect(await told(commands.report)).toContain('run/environment.json is empty')
  }, 60_000)

  it('a log that was cut has the lines that are whole', async () => {
    name = 'metrics.jsonl'
    whole = Buffer.from('{"event":"phase","phase":"full","size":32,"validAccuracy":0.1,"validLoss":1}\n{"event":"epo')
    await writeFile(at(name), whole)
    expect((await readHistory(at(name))).phases).toHaveLength(1)
  })
})

it.each(['recipe.json', 'data.json', best])('%s that is not there is named', async (file) => {
  const whole = await readFile(at(file))
  await rm(at(file))
  const text = await told(commands.export)
  await writeFile(at(file), whole)
  expect(text).toContain('(TRAIN_RUN_MISSING)')
  expect(text).toContain(file)
})

it('a folder that is not there is named once, as it was typed', async () => {
  const text = await told(() =>
    exportRun({ run: join(test.folder, 'runs', 'nope'), data: test.data, out: join(test.folder, 'models', 'a', '1') }),
  )
  expect(text).toMatch(/^Not a run folder \(TRAIN_RUN_MISSING\): there is no folder runs\/nope\n/)
})
