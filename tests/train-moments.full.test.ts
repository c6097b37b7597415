import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { changefulRun, drawSmallData, fingerprint, runUnderKills, type Moment } from './interrupted-run.ts'
import { runTrainer } from './trainer-process.ts'

interface LoggedEpoch {
  readonly event: string
  readonly phase: string
  readonly epochs: number
  readonly learningRate: number
  readonly backboneLearningRate: number
  readonly skippedSteps: number
  readonly effectivePrior?: readonly number[]
}

let folder: string
let data: string
let reference: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-kills-'))
  data = await drawSmallData(folder)
  reference = join(folder, 'reference')
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

it('meets in one run all that a resumed one has to remember', async () => {
  const { code, output } = await runTrainer(['train', '--data', data, '--out', reference, ...changefulRun], folder)
  expect(output).toContain('float16')
  expect(code).toBe(0)
  const lines = (await readFile(join(reference, 'metrics.jsonl'), 'utf8')).trim().split('\n')
  const epochs = lines.map((line) => JSON.parse(line) as LoggedEpoch).filter(({ event }) => event === 'epoch')
  const of = (phase: string) => epochs.filter((epoch) => epoch.phase === phase)
  // The first is a gain over a head that had learnt nothing; patience ends it two later.
  expect(of('head')).toHaveLength(3)
  expect(of('full')).toHaveLength(3)
  // The focal loss has a share in what each class counts, which changes from epoch to epoch.
  const priors = of('full').map(({ effectivePrior }) => effectivePrior!)
  for (const prior of priors) expect(prior.reduce((sum, share) => sum + share)).toBeCloseTo(1, 9)
  // It stays while every update of an epoch overflows.
  expect(new Set(priors.map((prior) => prior.join())).size).toBeGreaterThan(1)
  expect(of('fixres').map(({ effectivePrior }) => effectivePrior)).toEqual([undefined, undefined])
  expect(of('fixres')).toHaveLength(2)
  const [, before, after] = of('full')
  expect(after!.learningRate).toBe(before!.learningRate / 2)
  // Of the first update, also while every update overflows.
  for (const { learningRate } of epochs) expect(learningRate).toBeGreaterThan(0)
  expect(of('full').reduce((sum, { skippedSteps }) => sum + skippedSteps, 0)).toBeGreaterThan(0)
}, 600_000)

it('ends bit for bit the same when it is killed in every phase and resumed', async () => {
  const moments: Moment[] = [
    // While features are computed.
    ({ phase }) => phase === 'head',
    // Between the two steps of an update, with epochs waited for, a rate and a loss scale that have fallen.
    ({ phase, epoch, step }) => phase === 'full' && epoch === 2 && step % 2 === 1,
    ({ phase, epoch, step }) => phase === 'fixres' && epoch === 1 && step > 0,
  ]
  const run = join(folder, 'killed')
  const left = await runUnderKills(data, folder, run, { settings: changefulRun, moments })
  expect(left.map((position) => position?.phase)).toEqual(['head', 'full', 'fixres'])
  expect(await fingerprint(run)).toEqual(await fingerprint(reference))
}, 600_000)
