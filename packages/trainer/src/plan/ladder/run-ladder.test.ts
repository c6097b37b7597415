import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { drawFlowers } from '../../drawn/drawn-flowers.ts'
import type { Progress } from '../../console/progress.ts'
import { runLadder, type LadderOptions } from './run-ladder.ts'
import type { Ladder } from './ladder.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-ladder-'))
  await drawFlowers(join(folder, 'flowers'), { species: 12, train: 4, valid: 1, size: 40, seed: 2 })
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Calls back at the end of every epoch. */
const progressWith = (epochEnd: () => void): Progress => ({
  message: () => {},
  epochStart: () => {},
  step: () => {},
  epochEnd,
  close: () => {},
})

function options(signal: AbortSignal, epochEnd: () => void = () => {}): LadderOptions {
  return {
    data: join(folder, 'flowers'),
    folder: join(folder, 'out'),
    plan: {
      architecture: 'convnext_test',
      epochs: 1,
      size: 32,
      batch: 16,
      steps: [1, 3],
      seeds: [1],
      settings: [],
    },
    progress: progressWith(epochEnd),
    signal,
  }
}

it('goes on where it was stopped, skips what is done, and scores each step with its views', async () => {
  // Stopped in step 3, after its head.
  const stop = new AbortController()
  let epochs = 0
  const stopped = runLadder(
    options(stop.signal, () => {
      if (++epochs === 2) stop.abort(new Error('stopped by the test'))
    }),
  )
  await expect(stopped).rejects.toThrow('stopped by the test')
  const first = join(folder, 'out', 'step1-seed1', 'checkpoints', 'best.safetensors')
  const before = await stat(first)

  let more = 0
  const ladder = await runLadder(options(new AbortController().signal, () => more++))
  expect(more).toBe(1)
  expect((await stat(first)).mtimeMs).toBe(before.mtimeMs)

  expect(ladder.runs.map(({ run, score }) => [run, score.views, score.epochs])).toEqual([
    ['step1-seed1', 1, { full: 1 }],
    ['step3-seed1', 3, { head: 1, full: 1 }],
  ])
  for (const { score } of ladder.runs) {
    const answers = Object.values(score.right)
    expect(answers).toHaveLength(12)
    expect(score.accuracy.value).toBeCloseTo(answers.filter(Boolean).length / 12, 12)
  }
  // One view is what training validates with.
  const log = await readFile(join(folder, 'out', 'step1-seed1', 'metrics.jsonl'), 'utf8')
  const entries = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { validAccuracy: number; seconds?: number })
  // The first line is of the start, which has learnt nothing.
  const validated = entries.slice(1).map(({ validAccuracy }) => validAccuracy)
  expect(ladder.runs[0]!.score.seconds).toBe(entries.reduce((sum, { seconds = 0 }) => sum + seconds, 0))
  expect(ladder.runs[0]!.score.accuracy.value).toBeCloseTo(Math.max(...validated), 12)

  const written = JSON.parse(await readFile(join(folder, 'out', 'ladder.json'), 'utf8')) as Ladder
  expect(written).toEqual(ladder)
  const page = await readFile(join(folder, 'out', 'ladder.md'), 'utf8')
  expect(page).toMatch(/\| 3 +\| MixUp.*\| 95\.7 +\| \d+\.\d \(/)
})

it('refuses a folder that holds a ladder of another plan', async () => {
  const { plan, ...others } = options(new AbortController().signal)
  const other = runLadder({ ...others, plan: { ...plan, size: 48 } })
  await expect(other).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('size 32') as string })
})
