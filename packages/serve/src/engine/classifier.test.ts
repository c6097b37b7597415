import { join } from 'node:path'
import { noNames } from '@flowers/shared/model/names'
import { openModel } from '@flowers/shared/model/package'
import type { Manifest } from '@flowers/shared/model/manifest'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createInstruments, createRegistry, type Instruments } from '../observe/instruments.ts'
import { Stopwatch } from '../observe/stopwatch.ts'
import { FakeWorkers, fakeDecoder } from '../testing/fake-workers.ts'
import { testModels } from '../testing/service.ts'
import { warmUpFor } from './batch.ts'
import { Classifier, type Question, type RequestContext } from './classifier.ts'
import { Pool } from './pool.ts'
import { Cost } from './scheduler/cost.ts'
import { Scheduler } from './scheduler/scheduler.ts'

const { manifest } = await openModel(join(testModels, 'tiny/1'))
const limits = { megapixels: 1 }
const question: Question = { policy: 'exact', mayStepDown: false, topK: 4 }

let workers: FakeWorkers
let scheduler: Scheduler
let instruments: Instruments

beforeEach(() => {
  workers = new FakeWorkers()
  scheduler = new Scheduler({ threads: 1, limit: 4 })
  instruments = createInstruments(createRegistry())
})

async function classifier(change: Partial<Manifest> = {}): Promise<Classifier> {
  const made: Manifest = { ...manifest, ...change }
  const { preprocessing } = made
  const file = { network: '', bytes: 0, sha256: '' }
  const settings = {
    ...file,
    classes: 4,
    preprocessing,
    threads: 1,
    needsKnown: !!made.calibration.known,
    warmUp: warmUpFor(1),
  }
  const pool = new Pool({
    createWorker: workers.create,
    workers: 1,
    settings,
    onTurn: () => scheduler.dispatch(),
  })
  await pool.start()
  const plan = { workers: 1, threads: 1, bytes: 0, cores: 1, memory: 0, source: 'system' } as const
  const cost = new Cost({ fixed: 0, perView: 1 }, performance.now() / 1000)
  return new Classifier(
    { manifest: made, names: noNames, plan, pool, batch: { views: 1, source: 'measured' }, cost },
    { scheduler, decoder: fakeDecoder, decodeThreads: 1, limits, instruments, now: () => performance.now() },
  )
}

const context = (seconds = 60, signal = new AbortController().signal): RequestContext => ({
  seconds,
  signal,
  watch: () => new Stopwatch(instruments, { arrived: performance.now(), trace: null, traceId: null }),
})
/** A picture of the class with this index. */
const picture = (index: number): Uint8Array => Uint8Array.of(index)

describe('classify', () => {
  it('answers each image by the views that decide it', async () => {
    const model = await classifier()
    const [red, blue] = await Promise.all(model.classify([picture(0), picture(2)], question, context()))
    expect(red!.predictions[0]).toMatchObject({ label: 'red', index: 0 })
    expect(blue).toMatchObject({ predictions: [{ label: 'blue' }, {}, {}, {}], views: { used: 4, of: 6 } })
    expect(blue).not.toHaveProperty('details')
    expect(workers.runs).toHaveLength(8)
    expect(scheduler.depth).toBe(0)
  })

  it('tells what each view said when it is asked for details', async () => {
    const model = await classifier()
    const [answer] = model.classify([picture(1)], { ...question, details: true }, context())
    const { details } = await answer!
    expect(details!.views).toHaveLength(4)
    expect(details!.views[3]).toMatchObject({ flip: 'horizontal', scale: 1.15, label: 'green' })
  })

  it.each([
    ['exact', false, 4],
    ['exact', true, 4],
    ['full', true, 6],
    ['none', false, 1],
  ] as const)(
    'reads known from the plain view with policy %s and details %s, in as many runs as without',
    async (policy, details, runs) => {
      const { abstention: _, ...calibration } = manifest.calibration
      const known = { form: 'trained', threshold: 0.5, refusedShare: 0.05, count: 1, isCalibrated: true } as const
      for (const change of [{}, { calibration: { ...calibration, known } }]) {
        workers.runs.splice(0)
        const model = await classifier(change)
        const [answer] = model.classify([picture(0)], { ...question, policy, details }, context())
        const { level, ...rest } = await answer!
        expect([rest.known, level]).toEqual([change.calibration ? 0.75 : null, 'sure'])
        expect(workers.runs).toEqual(Array(runs).fill(1))
      }
    },
  )

  it('refuses an output known that is no number', async () => {
    const { abstention: _, ...calibration } = manifest.calibration
    const known = { form: 'nearest', threshold: 0.5, refusedShare: 0.05, count: 1, isCalibrated: false } as const
    workers.known = NaN
    const model = await classifier({ calibration: { ...calibration, known } })
    const [answer] = model.classify([picture(0)], question, context())
    await expect(answer).rejects.toMatchObject({ code: 'MODEL_OUTPUT' })
  })

  it('admits all images or none', async () => {
    const model = await classifier()
    const five = Array.from({ length: 5 }, () => picture(0))
    expect(() => model.classify(five, question, context())).toThrow(
      expect.objectContaining({ code: 'SERVICE_TOO_LARGE' }),
    )
    expect(() => model.classify([picture(0)], question, context(3))).toThrow(
      expect.objectContaining({ code: 'SERVICE_DEADLINE_SHORT' }),
    )
    expect([scheduler.depth, workers.runs]).toEqual([0, []])
  })

  it('steps down where it may, and counts that', async () => {
    const model = await classifier()
    const inc = vi.spyOn(instruments.steppedDown, 'inc')
    const [answer] = model.classify([picture(0)], { ...question, mayStepDown: true }, context(3))
    expect((await answer!).views.policy).not.toBe('exact')
    expect(inc).toHaveBeenCalledTimes(1)
  })

  it('is exact where fast was not fitted', async () => {
    const model = await classifier({ calibration: { ...manifest.calibration, fastLead: null } })
    const [answer] = model.classify([picture(0)], { ...question, policy: 'fast' }, context())
    expect((await answer!).views.policy).toBe('exact')
  })

  it('begins no view once the request is over, and leaves the queue', async () => {
    const model = await classifier()
    workers.isHeld = true
    const controller = new AbortController()
    const answers = model.classify([picture(0), picture(1)], question, context(60, controller.signal))
    const outcomes = Promise.allSettled(answers)
    await workers.begun(1)
    controller.abort(new Error('gone'))
    workers.release()
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect([workers.runs, scheduler.depth, scheduler.backlog]).toEqual([[1], 0, 0])
  })
})

describe('infer', () => {
  it('gives the logits of each row', async () => {
    const model = await classifier()
    const rows = [0, 1].map(() => new Float32Array(new SharedArrayBuffer(4 * 3 * 32 * 32)))
    await expect(model.infer(rows, context(1))).rejects.toMatchObject({ code: 'SERVICE_DEADLINE_SHORT' })
    expect(await model.infer(rows, context())).toEqual({
      logits: [new Float32Array(4), new Float32Array(4)],
      known: null,
    })
    expect([workers.runs, scheduler.depth]).toEqual([[1, 1], 0])
  })
})

describe('explain', () => {
  it('refuses a model without class maps, and leaves the queue', async () => {
    const model = await classifier()
    await expect(model.explain(picture(0), [], context())).rejects.toMatchObject({ code: 'MODEL_WITHOUT_MAPS' })
    expect(scheduler.depth).toBe(0)
  })
})

it('retires once all that was asked is answered', async () => {
  const model = await classifier()
  workers.isHeld = true
  const [answer] = model.classify([picture(3)], question, context())
  await workers.begun(1)
  let retired = false
  const retiring = model.retire().then(() => (retired = true))
  await new Promise(setImmediate)
  expect(retired).toBe(false)
  workers.release()
  expect((await answer!).predictions[0]!.label).toBe('yellow')
  await retiring
  expect(model.pool.ready).toBe(0)
})
