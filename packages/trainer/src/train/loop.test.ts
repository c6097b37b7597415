import { tensor } from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { reportPhases } from '../testing/test-recipe.ts'
import type { Phase } from '../recipe/schema.ts'
import type { Position } from '../run/state.ts'
import type { FeedBatch } from './feed.ts'
import { PhaseLoop, ttaDue, type LoopOptions } from './loop.ts'
import { startOf } from './position.ts'
import { TrainerError } from '../errors.ts'

const stepsPerEpoch = 4
const phase: Phase = {
  ...reportPhases.full,
  epochs: 3,
  batch: 2,
  accumulate: 2,
  ema: null,
  tta: null,
  earlyStopping: null,
  learningRate: { backbone: 0.1, head: 0.1, schedule: { kind: 'fixed' } },
}
const stopped = new Error('stopped by the test')
const killed = new Error('killed by the test')

interface Saved {
  readonly position: Position
  readonly weight: number
}

/**
 * A phase whose network is one number: a step moves it by its rate, its noise and its labels. Its clock moves by a second
 * at each step, and a state is saved every third.
 */
class World {
  weight = 0
  readonly saved: Saved[] = []
  readonly best: { accuracy: number; epoch: number; weight: number; leads: boolean }[] = []
  readonly lines: Record<string, unknown>[] = []
  readonly messages: string[] = []
  readonly speeds: number[] = []
  readonly events: string[] = []
  readonly scales: number[] = []
  readonly stop = new AbortController()
  seconds = 0
  #savedAt = 0
  #accumulated = 0

  /** Overrides loss and gradient of a step, counted from 0, or throws in its place. */
  onStep: (step: number) => Partial<{ loss: number; gradientNorm: number }> = () => ({})
  onScore: (score: number) => number = (score) => Math.min(1, score / 10)
  onLoss: (score: number) => number = () => 1
  startsTrained = true
  criterion: LoopOptions['criterion'] = 'accuracy'
  #steps = 0
  #scores = 0

  loop(change: Partial<Phase> = {}, position?: Position): PhaseLoop {
    const options: LoopOptions = {
      name: 'full',
      phase: { ...phase, ...change },
      seed: 5,
      stepsPerEpoch,
      trainsBackbone: true,
      criterion: this.criterion,
      startsTrained: this.startsTrained,
      feed: {
        note: 'a note',
        prepare: async () => void this.events.push('prepare'),
        batches: (from) => this.#batches(from),
        score: async () => {
          const score = this.#scores++
          return { accuracy: this.onScore(score), loss: this.onLoss(score), own: [] }
        },
        remove: async () => void this.events.push('remove'),
        close: async () => {},
      },
      step: async ({ labels }, { scalars, seed, complete }) => {
        this.seconds++
        this.scales.push(scalars.lossScale)
        const result = { loss: 1, correct: 1, gradientNorm: 1, ...this.onStep(this.#steps++) }
        this.#accumulated += (seed[0]! % 1000) + 10_000 * labels[0]!
        if (!complete) return result
        if (Number.isFinite(result.gradientNorm)) this.weight += scalars.headRate * this.#accumulated
        this.#accumulated = 0
        return result
      },
      checkpoints: {
        bestPath: 'best.safetensors',
        save: async (saved) => this.#save(saved),
        saveIfDue: async (saved) => {
          if (this.seconds - this.#savedAt >= 3) this.#save(saved)
        },
        writeBest: async ({ accuracy, epoch }, leads) =>
          void this.best.push({ accuracy, epoch, weight: this.weight, leads }),
        writeLast: async () => {},
      },
      prior: { atStart: () => ({ effectivePrior: [1], effectivePriorSlope: null }), afterEpoch: () => ({}) },
      log: {
        // A line is a byte.
        bytes: 0,
        write: async (line) => void this.lines.push({ ...line }),
      },
      board: { epoch() {} },
      progress: {
        message: (line) => void this.messages.push(line),
        epochStart() {},
        step: ({ imagesPerSecond }) => void this.speeds.push(imagesPerSecond),
        epochEnd() {},
        close() {},
      },
      signal: this.stop.signal,
      now: () => this.seconds * 1000,
    }
    Object.defineProperty(options.log, 'bytes', { get: () => this.lines.length })
    return new PhaseLoop(options, position ?? startOf('full', { precision: 'float32' }))
  }

  async *#batches({ epoch, step }: Position): AsyncGenerator<FeedBatch> {
    for (let next = step; next < stepsPerEpoch; next++) {
      const labels = Int32Array.of(stepsPerEpoch * epoch + next, 0)
      yield { labels, packed: new Float32Array(), images: () => tensor(0), soft: null }
    }
  }

  #save(position: Position): void {
    this.#savedAt = this.seconds
    this.saved.push({ position, weight: this.weight })
  }
}

const epochsOf = ({ lines }: World) => lines.filter(({ event }) => event === 'epoch')

it('scores the start, trains every epoch, and keeps the best', async () => {
  const world = new World()
  // 0.5 before the first epoch.
  world.onScore = (score) => [0.5, 0.4, 0.7, 0.6][score]!
  const loop = world.loop()
  await loop.run()
  expect(loop.position.best).toMatchObject({ accuracy: 0.7, epoch: 1 })
  expect(world.best.map(({ accuracy, epoch }) => [accuracy, epoch])).toEqual([
    [0.5, -1],
    [0.7, 1],
  ])
  expect(world.lines.map(({ event }) => event)).toEqual(['phase', 'epoch', 'epoch', 'epoch'])
  expect(epochsOf(world).map((line) => line['best'])).toEqual([false, true, false])
  expect(world.messages).toEqual([`full: ${phase.size} px, starts at 50.0 % on the validation photos`, 'full: a note'])
  expect(world.events).toEqual(['prepare', 'remove'])
  expect(world.saved.at(-1)!.position).toMatchObject({ epoch: 3, step: 0, updates: 6, metricsBytes: 4 })
})

describe('what is kept', () => {
  it('is an epoch that was trained, where the start was not, however that did', async () => {
    const world = new World()
    world.startsTrained = false
    world.onScore = (score) => [1, 0.3, 1, 1][score]!
    world.onLoss = (score) => [0.1, 2, 1, 0.9][score]!
    const loop = world.loop()
    await loop.run()
    expect(world.best.map(({ epoch, leads }) => [epoch, leads])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ])
    expect(loop.position.leader).toEqual({ phase: 'full', accuracy: 1, loss: 0.9 })
    expect(world.lines[0]).toMatchObject({ event: 'phase', trained: false, validAccuracy: 1 })
    expect(world.messages[0]).toContain('by chance')
  })

  it('is nothing where no epoch has a loss that is a number', async () => {
    const world = new World()
    world.startsTrained = false
    world.onLoss = () => NaN
    await expect(world.loop().run()).rejects.toMatchObject({ code: 'TRAIN_DIVERGED' })
    expect(world.best).toEqual([])
  })

  it('is the last epoch of a state in which an earlier release let a random head win', async () => {
    const before = new World()
    await before.loop().run()
    const { position } = before.saved.at(-1)!
    const world = new World()
    world.startsTrained = false
    world.onScore = () => 0.4
    const loop = world.loop({}, { ...position, best: { ...position.best, epoch: -1 }, leader: null })
    await loop.run()
    expect(world.best).toMatchObject([{ accuracy: 0.4, epoch: 2, leads: true }])
    expect(world.saved.at(-1)!.position.best).toMatchObject({ accuracy: 0.4, epoch: 2 })
  })

  it.each([
    ['the phase before, where this one ends below it', 'accuracy', [0.6, 0.65, 0.69, 0.6], [1, 1, 1, 1], []],
    ['the phase before, where a smaller loss costs accuracy', 'loss', [0.6, 0.65, 0.69, 0.6], [1, 0.3, 0.2, 0.1], []],
    [
      'the epoch that ties by accuracy and has a smaller loss',
      'accuracy',
      [0.6, 0.7, 0.7, 0.7],
      [1, 0.6, 0.4, 0.45],
      [1],
    ],
    ['the start, where it does better at its size', 'loss', [0.8, 0.6, 0.6, 0.6], [0.9, 0.3, 0.3, 0.3], [-1]],
    // The last has a smaller loss than those of its phase, and neither more accuracy nor a smaller loss than the phase before.
    ['the last that beats the phase before', 'loss', [0.7, 0.8, 0.75, 0.7], [0.9, 0.8, 0.7, 0.6], [0, 1]],
  ] as const)('for the run is %s', async (_, criterion, accuracies, losses, leading) => {
    const world = new World()
    world.criterion = criterion
    world.onScore = (score) => accuracies[score]!
    world.onLoss = (score) => losses[score]!
    const leader = { phase: 'head', accuracy: 0.7, loss: 0.5 } as const
    const start = startOf('full', { precision: 'float32' }, 0, { seconds: 0, updates: 0, leader })
    const loop = world.loop({}, start)
    await loop.run()
    expect(world.best.filter(({ leads }) => leads).map(({ epoch }) => epoch)).toEqual(leading)
    expect(loop.position.leader!.phase).toBe(leading.length === 0 ? 'head' : 'full')
  })
})

it('measures time by its clock: two photos a second', async () => {
  const world = new World()
  const loop = world.loop()
  await loop.run()
  expect(world.speeds).toEqual(Array.from({ length: 12 }, () => 2))
  expect(epochsOf(world)[0]).toMatchObject({ seconds: 4, imagesPerSecond: 2 })
  expect(loop.position.seconds).toBe(12)
})

it('stops early when patience is used up', async () => {
  const world = new World()
  world.onScore = () => 0.5
  await world.loop({ earlyStopping: { patience: 2, minEpochs: 0, threshold: 0 } }).run()
  expect(epochsOf(world)).toHaveLength(2)
})

describe('an update that overflows', () => {
  it('changes nothing but the loss scale, which the next step gets', async () => {
    const world = new World()
    const start = startOf('full', { precision: 'float16' })
    const weights: number[] = []
    world.onStep = (step) => {
      weights.push(world.weight)
      // The second update is due.
      return step === 3 ? { gradientNorm: Infinity } : {}
    }
    await world.loop({ epochs: 2 }, start).run()
    expect(world.scales).toEqual([65_536, 65_536, 65_536, 65_536, 32_768, 32_768, 32_768, 32_768])
    expect(weights[4]).toBe(weights[2])
    expect(weights[6]).not.toBe(weights[4])
    expect(epochsOf(world).map(({ skippedSteps, lossScale }) => [skippedSteps, lossScale])).toEqual([
      [1, 32_768],
      [0, 32_768],
    ])
    expect(world.saved.at(-1)!.position.updates).toBe(3)
  })
})

describe('a loss that is not finite', () => {
  it('ends the phase, naming the place and the best checkpoint; no state is saved after it', async () => {
    const world = new World()
    world.onStep = (step) => (step === 5 ? { loss: NaN, gradientNorm: NaN } : {})
    const running = world.loop().run()
    await expect(running).rejects.toMatchObject({
      code: 'TRAIN_DIVERGED',
      message:
        'the loss is NaN and the norm of its gradient NaN at epoch 2, step 2 of phase full; the best checkpoint is best.safetensors',
    })
    expect(world.saved.at(-1)!.position).toMatchObject({ epoch: 1, step: 0 })
    expect(world.best.every(({ weight }) => Number.isFinite(weight))).toBe(true)
  })

  it('names no checkpoint where there is none', async () => {
    const world = new World()
    world.startsTrained = false
    world.onStep = () => ({ loss: NaN, gradientNorm: NaN })
    await expect(world.loop().run()).rejects.toThrow('no weights are kept')
  })
})

it('passes an error of the step on, and saves nothing for it', async () => {
  const world = new World()
  const memory = new TrainerError('TRAIN_MEMORY', 'a batch of 1 fits')
  world.onStep = (step) => {
    if (step === 1) throw memory
    return {}
  }
  await expect(world.loop().run()).rejects.toBe(memory)
  expect(world.saved.map(({ position }) => position.step)).toEqual([0])
})

it('saves when a photo is lost, as the run can go on once it is back', async () => {
  const world = new World()
  world.onStep = (step) => {
    if (step === 1) throw new TrainerError('DATA_IMAGE_LOST', 'gone')
    return {}
  }
  await expect(world.loop().run()).rejects.toThrow('gone')
  expect(world.saved.at(-1)!.position).toMatchObject({ epoch: 0, step: 1 })
})

describe('resume', () => {
  /** Goes on from the last saved state, with what was logged after it cut off. */
  function resume(before: World): { world: World; loop: PhaseLoop } {
    const world = new World()
    const { position, weight } = before.saved.at(-1)!
    world.weight = weight
    world.lines.push(...before.lines.slice(0, position.metricsBytes))
    // As many scores as the uninterrupted run has had.
    const scored = 1 + position.epoch
    world.onScore = (score) => Math.min(1, (scored + score) / 10)
    return { world, loop: world.loop({ accumulate: 1 }, position) }
  }

  const timeless = ({ lines }: World) => lines.map((line) => ({ ...line, seconds: 0, imagesPerSecond: 0 }))

  it.each(Array.from({ length: 12 }, (_, step) => step))(
    'ends with the same weights and log when it is killed in step %d',
    async (last) => {
      const through = new World()
      await through.loop({ accumulate: 1 }).run()
      const first = new World()
      first.onStep = (step) => {
        if (step === last) throw killed
        return {}
      }
      await expect(first.loop({ accumulate: 1 }).run()).rejects.toBe(killed)
      const { world, loop } = resume(first)
      await loop.run()
      expect(world.weight).toBeCloseTo(through.weight, 9)
      expect(timeless(world)).toEqual(timeless(through))
      expect({ ...loop.position, seconds: 0 }).toEqual({ ...through.saved.at(-1)!.position, seconds: 0 })
    },
  )

  it('goes on with the step after the one in which it was told to stop', async () => {
    const world = new World()
    world.onStep = (step) => {
      if (step === 6) world.stop.abort(stopped)
      return {}
    }
    await expect(world.loop({ accumulate: 1 }).run()).rejects.toBe(stopped)
    expect(world.saved.at(-1)!.position).toMatchObject({ epoch: 1, step: 3 })
    const next = resume(world)
    await next.loop.run()
    expect(next.world.speeds).toHaveLength(5)
  })

  it('saves the epoch that was trained when it is told to stop while it validates', async () => {
    const world = new World()
    world.onScore = (score) => {
      if (score === 0) return 0
      world.stop.abort(stopped)
      throw stopped
    }
    await expect(world.loop().run()).rejects.toBe(stopped)
    expect(world.saved.at(-1)!.position).toMatchObject({ epoch: 0, step: 4, updates: 2 })
  })
})

it('validates with test-time augmentation now and then, and in the last epochs', () => {
  const many = { epochs: 25, tta: { views: 'three', everyEpochs: 10, lastEpochs: 5 } } as const
  const due = Array.from({ length: 25 }, (_, epoch) => epoch + 1).filter((epoch) => ttaDue(many, epoch - 1))
  expect(due).toEqual([10, 20, 21, 22, 23, 24, 25])
  expect(ttaDue({ epochs: 25, tta: null }, 24)).toBe(false)
})
