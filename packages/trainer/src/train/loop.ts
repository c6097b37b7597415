import { FlowersError } from '@flowers/shared/errors'
import { oneView, type View } from '@flowers/shared/image/view'
import type { Progress } from '../console/progress.ts'
import { updatePlateau } from '../optim/schedule.ts'
import type { Phase, Recipe } from '../recipe/schema.ts'
import type { MetricsLog } from '../run/metrics-log.ts'
import type { Position } from '../run/state.ts'
import type { TensorBoard } from '../run/tensorboard.ts'
import type { Checkpoints } from './checkpoints.ts'
import { isBetter } from './choice.ts'
import { bestAtStart, isKept, updateBest, type Best } from './early-stopping.ts'
import type { Feed, FeedBatch } from './feed.ts'
import { hyperparameters, learningRates, type Course, type StepHyperparameters } from './hyperparameters.ts'
import { afterEpoch, afterStep, isPhaseOver, trainedSoFar, updatesOf } from './position.ts'
import type { watchPrior } from './prior.ts'
import type { StepResult } from './step.ts'
import { ttaViews, type Validation } from './validate.ts'
import { TrainerError } from '../errors.ts'

/** Whether an epoch (from 0) is also validated with test-time augmentation. */
export function ttaDue({ tta, epochs }: Pick<Phase, 'tta' | 'epochs'>, epoch: number): boolean {
  return tta !== null && ((epoch + 1) % tta.everyEpochs === 0 || epoch >= epochs - tta.lastEpochs)
}

/** The loop's surroundings: everything it reads from, computes with and writes to. */
export interface LoopOptions extends Course {
  readonly criterion: Recipe['data']['criterion']
  /** Whether what the phase starts with was trained; else no score of it counts. */
  readonly startsTrained: boolean
  /** Whether its head has classes of an earlier model, so that its score is no chance; that model may have learnt from these photos. */
  readonly startsKnowing?: boolean | undefined
  readonly feed: Feed
  /** Forward, backward and, if complete, the update. */
  readonly step: (batch: FeedBatch, hyperparameters: StepHyperparameters) => Promise<StepResult>
  readonly checkpoints: Checkpoints
  readonly prior: ReturnType<typeof watchPrior>
  readonly log: Pick<MetricsLog, 'bytes' | 'write'>
  readonly board: Pick<TensorBoard, 'epoch'>
  readonly progress: Progress
  /** Aborted when the phase shall save and stop; it then rejects with the reason. */
  readonly signal: AbortSignal
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

/** The epochs and steps of one phase, from its start or from a saved position. */
export class PhaseLoop {
  readonly #options: LoopOptions
  #position: Position

  constructor(options: LoopOptions, position: Position) {
    this.#options = options
    this.#position = position
  }

  get position(): Position {
    return this.#position
  }

  /**
   * Runs the epochs that are left; the best of the phase is then kept. Throws TRAIN_DIVERGED, after which no file holds
   * weights that are not finite; DATA_IMAGE_LOST and the signal's reason, both with the state saved.
   */
  async run(): Promise<void> {
    const { feed, checkpoints } = this.#options
    try {
      if (this.#position.best.accuracy < 0) await this.#start(await this.#score(oneView))
      if (!this.#isOver) await this.#interruptible(() => feed.prepare())
      while (!this.#isOver) await this.#epoch()
      if (!isKept(this.#position.best, this.#options)) await this.#keepLast()
      await feed.remove()
    } catch (error) {
      if (error instanceof FlowersError && error.code === 'DATA_IMAGE_LOST') await checkpoints.save(this.#position)
      throw error
    }
  }

  get #isOver(): boolean {
    return isPhaseOver(this.#options.phase, this.#position)
  }

  /** Scores the weights the phase starts from: trained ones are its best until an epoch beats them. */
  async #start({ accuracy, loss }: Validation): Promise<void> {
    const { name, phase, feed, prior, log, progress, startsTrained, startsKnowing } = this.#options
    const { size } = phase
    const chance = startsTrained || startsKnowing ? '' : ' by chance, as it has learnt nothing yet'
    progress.message(
      `${name}: ${size} px, starts at ${(100 * accuracy).toFixed(1)} % on the validation photos${chance}`,
    )
    if (feed.note !== null) progress.message(`${name}: ${feed.note}`)
    const entries = { size, validAccuracy: accuracy, validLoss: loss, trained: startsTrained, ...prior.atStart() }
    await log.write({ event: 'phase', phase: name, ...entries })
    const best = bestAtStart({ accuracy, loss }, startsTrained)
    this.#position = { ...this.#position, best, metricsBytes: log.bytes }
    if (startsTrained) await this.#keep(best)
    await this.#options.checkpoints.save(this.#position)
  }

  /** Keeps the weights as the best of the phase, and of the run where they beat the phases before. */
  async #keep(best: Best): Promise<void> {
    const { name, checkpoints } = this.#options
    const { before } = this.#position
    // Phases smooth labels differently, which moves the loss: between them accuracy decides, whatever the criterion.
    const leads = before === null || isBetter(best, before, 'accuracy')
    await checkpoints.writeBest(best, leads)
    const { accuracy, loss } = best
    if (leads) this.#position = { ...this.#position, leader: { phase: name, accuracy, loss } }
  }

  /** Keeps the last epoch of a phase without a best: an earlier release let a random head win. */
  async #keepLast(): Promise<void> {
    const { name, checkpoints } = this.#options
    const { accuracy, loss } = await this.#score(oneView)
    if (!Number.isFinite(loss))
      throw new TrainerError(
        'TRAIN_DIVERGED',
        `no epoch of phase ${name} has a loss on the validation photos that is a number; no weights are kept`,
      )
    const { best, epoch } = this.#position
    this.#position = { ...this.#position, best: { ...best, accuracy, loss, epoch: epoch - 1 } }
    await this.#keep(this.#position.best)
    await checkpoints.save(this.#position)
  }

  async #epoch(): Promise<void> {
    const { name, phase, stepsPerEpoch, progress, now } = this.#options
    const { epoch } = this.#position
    progress.epochStart(name, epoch, phase.epochs, stepsPerEpoch)
    const started = now()
    await this.#train()
    const trained = now()
    const plain = await this.#score(oneView)
    const augmented = ttaDue(phase, epoch) ? await this.#score(ttaViews[phase.tta!.views]) : null
    await this.#endEpoch(plain, augmented, {
      trainSeconds: (trained - started) / 1000,
      seconds: (now() - started) / 1000,
    })
  }

  async #train(): Promise<void> {
    const { phase, feed, stepsPerEpoch, checkpoints, progress, signal, now } = this.#options
    let started = now()
    let { step: first } = this.#position
    const { epoch, step: begun } = this.#position
    for await (const batch of feed.batches(this.#position)) {
      await this.#step(batch)
      const done = this.#position.step
      const secondsPerStep = (now() - started) / 1000 / (done - first)
      const isFirst = done - begun === 1
      progress.step({
        done,
        of: stepsPerEpoch,
        imagesPerSecond: phase.batch / secondsPerStep,
        ...trainedSoFar(this.#position),
        ...learningRates(this.#options, this.#position),
        // The first step traces the network and tells nothing of the others.
        remaining: isFirst ? null : secondsPerStep * ((phase.epochs - epoch) * stepsPerEpoch - done),
      })
      if (isFirst) [started, first] = [now(), done]
      if (signal.aborted) await this.#stop()
      await checkpoints.saveIfDue(this.#position)
    }
  }

  async #step(batch: FeedBatch): Promise<void> {
    const given = hyperparameters(this.#options, this.#position)
    const result = await this.#options.step(batch, given)
    const next = afterStep(this.#position, result, { photos: batch.labels.length, complete: given.complete })
    if (next === null) throw this.#diverged(result)
    this.#position = next
  }

  #diverged({ loss, gradientNorm }: StepResult): FlowersError {
    const { name, checkpoints } = this.#options
    const { epoch, step, best } = this.#position
    const kept = isKept(best, this.#options) ? `the best checkpoint is ${checkpoints.bestPath}` : 'no weights are kept'
    return new TrainerError(
      'TRAIN_DIVERGED',
      `the loss is ${loss} and the norm of its gradient ${gradientNorm} at epoch ${epoch + 1}, step ${step + 1} of phase ${name}; ${kept}`,
    )
  }

  async #endEpoch(
    { accuracy, loss: validLoss, own }: Validation,
    augmented: Validation | null,
    { trainSeconds, seconds }: { trainSeconds: number; seconds: number },
  ): Promise<void> {
    const { name, phase, criterion, startsTrained, prior, checkpoints, log, board, progress } = this.#options
    const { epoch, sums, lossScale, best: before, plateau } = this.#position
    const { loss, accuracy: trainAccuracy } = trainedSoFar(this.#position)
    const threshold = phase.earlyStopping?.threshold ?? 0
    const { best, improved } = updateBest(before, { accuracy, loss: validLoss }, epoch, {
      criterion,
      threshold,
      startsTrained,
    })
    const summary = {
      phase: name,
      epoch,
      epochs: phase.epochs,
      loss,
      trainAccuracy,
      validLoss,
      validAccuracy: accuracy,
      ttaAccuracy: augmented?.accuracy ?? null,
      best: improved,
      ...learningRates(this.#options, this.#position),
      seconds,
    }
    const imagesPerSecond = sums.seen / trainSeconds
    const scaling = lossScale && { lossScale: lossScale.value, skippedSteps: sums.skipped }
    await log.write({ event: 'epoch', ...summary, imagesPerSecond, ...scaling, ...prior.afterEpoch(own) })
    board.epoch(Math.max(0, updatesOf(this.#position) - 1), { ...summary, imagesPerSecond })
    this.#position = afterEpoch(this.#position, {
      best,
      plateau: updatePlateau(phase.learningRate.schedule, plateau, accuracy),
      metricsBytes: log.bytes,
      seconds: this.#position.seconds + seconds,
    })
    if (improved) await this.#keep(best)
    await checkpoints.writeLast({ accuracy, loss: validLoss, epoch })
    await checkpoints.save(this.#position)
    progress.epochEnd(summary)
  }

  #score(views: readonly View[]): Promise<Validation> {
    return this.#interruptible(() => this.#options.feed.score(views))
  }

  /** Work that can be stopped without a loss, as it changes nothing that is saved. */
  async #interruptible<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#options
    if (signal.aborted) await this.#stop()
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) await this.#stop()
      throw error
    }
  }

  /** Saves and ends the run with the reason it was stopped for. */
  async #stop(): Promise<never> {
    await this.#options.checkpoints.save(this.#position)
    throw this.#options.signal.reason
  }
}
