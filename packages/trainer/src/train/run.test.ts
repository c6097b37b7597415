import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { resolveRecipe } from '../recipe/resolve-recipe.ts'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import { trainRun } from './run.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-stopped-'))
  await drawFlowers(join(folder, 'flowers'), { species: 12, train: 4, valid: 1, size: 40, seed: 2 })
})

afterAll(() => rm(folder, { recursive: true }))

const reason = new Error('stopped by the test')

async function stoppedRun(
  run: string,
  { signal, onMessage = () => {} }: { signal: AbortSignal; onMessage?: () => void },
) {
  const phases = ['head', 'full', 'fixres'].flatMap((name) => [`phases.${name}.size=32`, `phases.${name}.batch=16`])
  const recipe = await resolveRecipe('demo', ['model.architecture=convnext_test', ...phases])
  let begun = false
  const progress = { message: onMessage, epochStart() {}, step() {}, epochEnd() {}, close() {} }
  const stopped = trainRun({
    recipe,
    data: join(folder, 'flowers'),
    folder: join(folder, run),
    resume: false,
    progress,
    signal,
    onTraining: () => {
      begun = true
    },
  })
  await expect(stopped).rejects.toBe(reason)
  return begun
}

it('writes nothing when it is stopped while the photos are looked at', async () => {
  const stop = new AbortController()
  // The first message is what the audit found.
  expect(await stoppedRun('early', { signal: stop.signal, onMessage: () => stop.abort(reason) })).toBe(false)
  expect(existsSync(join(folder, 'early'))).toBe(false)
})

it('leaves an empty folder when it is stopped while memory is measured', async () => {
  const stop = new AbortController()
  const run = join(folder, 'measuring')
  const watch = (async () => {
    while (!existsSync(join(run, 'checkpoints'))) await setImmediate()
    stop.abort(reason)
  })()
  expect(await stoppedRun('measuring', { signal: stop.signal })).toBe(false)
  await watch
  expect(await readdir(run)).toEqual([])
})
