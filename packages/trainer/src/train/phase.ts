import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import { oneView, sixViews, threeViews } from '@flowers/shared/image/view'
import type { View } from '@flowers/shared/image/view'
import * as tf from '@tensorflow/tfjs-core'
import { packAugmentations } from '../input/apply-augment.ts'
import { atStrength, drawAugmentation } from '../input/augment.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { trainBatches } from '../input/loader.ts'
import type { Batch } from '../input/loader.ts'
import { drawMix } from '../input/mix.ts'
import type { PhotoCache } from '../input/photo-cache.ts'
import { Random } from '@flowers/shared/random'
import { epochOrder } from '../input/sampler.ts'
import type { Model } from '../model/architecture.ts'
import { zeroValues } from '../model/init.ts'
import { toTimmTensors } from '../model/weights/load.ts'
import { writeSafetensors } from '../model/weights/safetensors.ts'
import { accumulation, updatesPerEpoch } from '../optim/accumulation.ts'
import { adamDefaults } from '../optim/adamw.ts'
import { emaDecay } from '../optim/ema.ts'
import { effectiveNumberWeights, effectivePrior, focalFactors, priorWarning } from '../optim/class-weights.ts'
import { initialLossScale, nextLossScale } from '../optim/loss-scale.ts'
import { rampValue } from '../optim/ramp.ts'
import { noPlateau, scheduleFactor, updatePlateau } from '../optim/schedule.ts'
import type { AugmentOptions, Phase, PhaseName } from '../recipe/schema.ts'
import { phaseNames } from '../recipe/schema.ts'
import type { MetricsLog } from '../run/metrics-log.ts'
import type { Progress } from '../console/progress.ts'
import type { TensorBoard } from '../run/tensorboard.ts'
import { TensorflowError } from '@flowers/tensorflow/errors'
import { bytes } from '@flowers/tensorflow'
import { noBest, shouldStop, updateBest } from './early-stopping.ts'
import type { Best } from './early-stopping.ts'
import { CachedHead } from './cached-head.ts'
import type { FeatureBatch } from './cached-head.ts'
import { showInputs } from './show-inputs.ts'
import { checkpointFiles, checkpointPath, runFiles } from '../run/files.ts'
import { saveState } from '../run/state.ts'
import type { Position } from '../run/state.ts'
import { availableMemory, largestThatFits, measureNeed } from './memory.ts'
import type { MemoryNeed } from './memory.ts'
import type { ResolvedRecipe } from '../recipe/precision.ts'
import {
  compileStep,
  emptyInputs,
  packScalars,
  runEmpty,
  scalesLoss,
  trainableParameters,
  useInputs,
  variablesFor,
} from './step.ts'
import type { Step, StepInputs, StepResult } from './step.ts'
import { Scorers, ValidationSet } from './validate.ts'
import type { Validation } from './validate.ts'
import type { TrainingVariables } from './variables.ts'
import { TrainerError } from '../errors.ts'

export interface PhaseContext {
  readonly folder: string
  readonly recipe: ResolvedRecipe
  readonly dataset: Dataset
  readonly model: Model
  /** Small photos, decoded once for all phases. */
  readonly photos: PhotoCache
  readonly log: MetricsLog
  readonly board: TensorBoard
  readonly progress: Progress
  /** Aborted when the run shall save and stop; the reason is thrown once that is done. */
  readonly signal: AbortSignal
}

const ttaViews = { three: threeViews, six: sixViews } as const

/** Whether an epoch (from 0) is also validated with test-time augmentation. */
export function ttaDue({ tta, epochs }: Pick<Phase, 'tta' | 'epochs'>, epoch: number): boolean {
  return tta !== null && ((epoch + 1) % tta.everyEpochs === 0 || epoch >= epochs - tta.lastEpochs)
}

const noSums = { loss: 0, correct: 0, seen: 0, skipped: 0 }

export const startOf = (
  phase: PhaseName,
  recipe: ResolvedRecipe,
  metricsBytes: number,
  { seconds, updates }: { seconds: number; updates: number },
): Position => ({
  phase,
  epoch: 0,
  step: 0,
  updates: 0,
  earlierUpdates: updates,
  best: noBest,
  plateau: noPlateau,
  sums: noSums,
  lossScale: scalesLoss(recipe.precision) ? initialLossScale : null,
  metricsBytes,
  seconds,
})

/** Optimizer steps of the whole run before a position. */
export const updatesOf = ({ earlierUpdates, updates }: Position): number => earlierUpdates + updates

/** Epochs of different phases draw from different random streams. */
const streamEpoch = (phase: PhaseName, epoch: number): number => phaseNames.indexOf(phase) * 1_000_000 + epoch

/** One phase of a run, from its start or from where a saved state left it. */
export class PhaseRunner {
  readonly #context: PhaseContext
  readonly #name: PhaseName
  readonly #phase: Phase
  readonly #variables: TrainingVariables
  #position: Position
  readonly #stepsPerEpoch: number
  readonly #cached: CachedHead | null
  #lastSave = performance.now()
  #inputsShown = false
  #priorWarned = false

  constructor(context: PhaseContext, name: PhaseName, variables: TrainingVariables, position: Position) {
    this.#context = context
    this.#name = name
    this.#phase = context.recipe.phases[name]
    this.#variables = variables
    this.#position = position
    this.#cached = this.#phase.features === 'cached' ? this.#cacheHead() : null
    this.#stepsPerEpoch = Math.floor(context.dataset.train.length / this.#phase.batch)
  }

  /** Seconds of training so far, of the whole run. */
  get seconds(): number {
    return this.#position.seconds
  }

  /** Optimizer steps so far, of the whole run. */
  get updates(): number {
    return updatesOf(this.#position)
  }

  get #isOver(): boolean {
    const { epoch, best } = this.#position
    return epoch >= this.#phase.epochs || shouldStop(this.#phase.earlyStopping, best, epoch - 1)
  }

  /** True until the first step is done. */
  get untrained(): boolean {
    return this.#position.epoch === 0 && this.#position.step === 0
  }

  /** Throws TRAIN_MEMORY, with the batch that fits, when a step would take more memory than there is. Trains nothing. */
  async requireMemory(): Promise<void> {
    const step = this.#compile(this.#variables)
    try {
      await this.#checkMemory(step)
    } finally {
      step.dispose()
    }
  }

  /** Runs the epochs that are left. Returns the best of them. */
  async run(): Promise<Best> {
    const { recipe, model, progress } = this.#context
    const phase = this.#phase
    const cached = this.#cached
    const step = this.#compile(this.#variables)
    const scorers = new Scorers(model, (name) => this.#variables.best(name), recipe.preprocessing)
    const validation = new ValidationSet(this.#context.dataset.valid, {
      preprocessing: { ...recipe.preprocessing, size: phase.size },
      batch: phase.batch,
    })
    const score = (views: readonly View[]) =>
      this.#interruptible(() => (cached ? cached.score(views) : validation.score(scorers, views, this.#context.signal)))
    try {
      if (!cached) await this.#checkMemory(step)
      if (this.#position.best.accuracy < 0) await this.#start(await score(oneView))
      if (cached && !this.#isOver) await this.#interruptible(() => cached.prepare())
      while (!this.#isOver) {
        progress.epochStart(this.#name, this.#position.epoch, phase.epochs, this.#stepsPerEpoch)
        const started = performance.now()
        await this.#trainEpoch(step)
        const trained = (performance.now() - started) / 1000
        const plain = await score(oneView)
        const augmented = ttaDue(phase, this.#position.epoch) ? await score(ttaViews[phase.tta!.views]) : null
        await this.#endEpoch(plain, augmented, trained, (performance.now() - started) / 1000)
      }
      await cached?.remove()
      return this.#position.best
    } catch (error) {
      if (error instanceof FlowersError && error.code === 'DATA_IMAGE_LOST') await this.#save()
      throw error
    } finally {
      await cached?.close()
      step.dispose()
      scorers.dispose()
    }
  }

  /** Scores the weights the phase starts from: they are its best until an epoch beats them. */
  async #start({ accuracy, loss }: { accuracy: number; loss: number }): Promise<void> {
    const { log, progress } = this.#context
    progress.message(
      `${this.#name}: ${this.#phase.size} px, starts at ${(100 * accuracy).toFixed(1)} % on the validation photos`,
    )
    if (this.#cached) {
      progress.message(`${this.#name}: the head learns from features that are computed once; no crop, no augmentation`)
    }
    const { prior, slope } = effectivePrior(this.#trainCounts, this.#phase.samplerPower, this.#classWeights)
    this.#warnOfPrior(slope, 'sampler and class weights')
    await log.write({
      event: 'phase',
      phase: this.#name,
      size: this.#phase.size,
      validAccuracy: accuracy,
      validLoss: loss,
      effectivePrior: prior,
      effectivePriorSlope: slope,
    })
    this.#position = { ...this.#position, best: { ...noBest, accuracy, loss, top: accuracy }, metricsBytes: log.bytes }
    await this.#writeBest()
    await this.#save()
  }

  /** Once, as the next epochs would say the same. */
  #warnOfPrior(slope: number | null, what: string): void {
    const warning = this.#priorWarned ? null : priorWarning(slope, what)
    if (warning === null) return
    this.#priorWarned = true
    this.#context.progress.message(warning)
  }

  /** What the loss saw of each class at the end of an epoch, the focal part by the validation photos; empty without it. */
  #focalPrior({ own }: Validation): { effectivePrior?: readonly number[]; effectivePriorSlope?: number | null } {
    const { focalGamma, samplerPower } = this.#phase
    if (focalGamma === 0) return {}
    const { labels, valid } = this.#context.dataset
    const photos = valid.map(({ index }, position) => ({ index, own: own[position]! }))
    const focus = focalFactors(photos, labels.length, focalGamma)
    const { prior, slope } = effectivePrior(this.#trainCounts, samplerPower, this.#classWeights, focus)
    this.#warnOfPrior(slope, 'sampler, class weights and focal loss')
    return { effectivePrior: prior, effectivePriorSlope: slope }
  }

  async #trainEpoch(step: Step): Promise<void> {
    const { dataset, recipe, photos, progress, signal } = this.#context
    const { phase, epoch } = this.#position
    const order = this.#order(epoch)
    const address = streamEpoch(phase, epoch)
    const cached = this.#cached?.batches({ order, epoch: address, startStep: this.#position.step })
    const batches: AsyncIterable<Batch | FeatureBatch> =
      cached ??
      trainBatches(dataset.train, {
        size: this.#phase.size,
        batch: this.#phase.batch,
        seed: recipe.seed,
        epoch: address,
        crop: this.#augment(epoch).crop,
        order,
        kernel: recipe.preprocessing.kernel,
        startStep: this.#position.step,
        cache: photos,
      })
    const started = performance.now()
    const first = this.#position.step
    for await (const batch of batches) {
      await this.#step(step, batch)
      const done = batch.step + 1
      const secondsPerStep = (performance.now() - started) / 1000 / (done - first)
      progress.step({
        done,
        of: this.#stepsPerEpoch,
        imagesPerSecond: this.#phase.batch / secondsPerStep,
        ...this.#trained,
        ...this.#rates,
        remaining: secondsPerStep * ((this.#phase.epochs - epoch) * this.#stepsPerEpoch - done),
      })
      if (signal.aborted) await this.#stop()
      if (performance.now() - this.#lastSave > recipe.saveMinutes * 60_000) await this.#save()
    }
  }

  /** One micro-step, and the update it completes. Throws TRAIN_DIVERGED; nothing saved holds weights that are no numbers. */
  async #step(step: Step, batch: Batch | FeatureBatch): Promise<void> {
    const { of, complete } = accumulation(batch.step, this.#stepsPerEpoch, this.#phase.accumulate)
    const inputs = await this.#inputs(batch, of)
    const running = step.run(inputs, complete)
    tf.dispose([...inputs])
    const result = await running.catch((error: unknown) => this.#explainMemory(step, error))
    const finite = Number.isFinite(result.gradientNorm) && Number.isFinite(result.loss)
    const { sums, updates, lossScale } = this.#position
    const scale = lossScale && complete ? nextLossScale(lossScale, finite) : lossScale
    if (!finite && scale === null) throw this.#diverged(result, batch.step)
    this.#position = {
      ...this.#position,
      step: batch.step + 1,
      updates: updates + (complete && finite ? 1 : 0),
      lossScale: scale,
      sums: {
        ...sums,
        // The photos of a step that overflowed on its way forward are not counted.
        ...(Number.isFinite(result.loss) && {
          loss: sums.loss + result.loss * batch.labels.length,
          correct: sums.correct + result.correct,
          seen: sums.seen + batch.labels.length,
        }),
        skipped: sums.skipped + (complete && !finite ? 1 : 0),
      },
    }
  }

  /** Mean loss and accuracy of the unfinished epoch. */
  get #trained(): { loss: number; accuracy: number } {
    const { loss, correct, seen } = this.#position.sums
    return { loss: loss / seen, accuracy: correct / seen }
  }

  /** Learning rates of the last update; before the first, and while all have overflowed, of that. */
  get #rates(): { learningRate: number; backboneLearningRate: number } {
    const { head, backbone } = this.#phase.learningRate
    const factor = this.#factor(Math.max(0, this.#position.updates - 1))
    const learns = trainableParameters(this.#context.model, this.#phase).some(({ group }) => group !== 'head')
    return { learningRate: head * factor, backboneLearningRate: learns ? backbone * factor : 0 }
  }

  #diverged({ loss, gradientNorm }: StepResult, microStep: number): FlowersError {
    const { phase, epoch } = this.#position
    const best = this.#path(checkpointFiles.best)
    return new TrainerError(
      'TRAIN_DIVERGED',
      `the loss is ${loss} and the norm of its gradient ${gradientNorm} at epoch ${epoch + 1}, step ${microStep + 1} of phase ${phase}; the best checkpoint is ${best}`,
    )
  }

  /** What the next step takes; `gathered`: micro-steps of its update. */
  async #inputs(batch: Batch | FeatureBatch, gathered: number): Promise<StepInputs> {
    const { recipe, model } = this.#context
    const { phase, epoch, updates, lossScale } = this.#position
    const { size, batch: width, learningRate, ema } = this.#phase
    const address = streamEpoch(phase, epoch)
    const positions = batch.samples.map((_, index) => batch.step * width + index)
    const augment = this.#augment(epoch)
    const packed = packAugmentations(
      positions.map((position) =>
        drawAugmentation(augment, size, new Random(recipe.seed, 'augment', address, position)),
      ),
      positions.map((position) =>
        drawMix(
          this.#phase.mix,
          { epoch, epochs: this.#phase.epochs },
          size,
          new Random(recipe.seed, 'mix', address, position),
        ),
      ),
      recipe.preprocessing,
    )
    // Where a resumed run shows its inputs again, TensorBoard has forgotten those of before.
    if (updates === 0 && !this.#inputsShown && 'pixels' in batch) {
      this.#inputsShown = true
      const { board, dataset } = this.#context
      await showInputs(board, this.updates, {
        name: phase,
        phase: this.#phase,
        recipe,
        batch,
        packed,
        valid: dataset.valid,
      })
    }
    const factor = this.#factor(updates)
    const microStep = epoch * this.#stepsPerEpoch + batch.step
    const noise = new Random(recipe.seed, 'step', phaseNames.indexOf(phase), microStep)
    return [
      'features' in batch
        ? tf.tensor2d(batch.features, [width, model.featureCount])
        : bytes(batch.pixels, [width, size, size, 3]),
      tf.tensor1d(batch.labels, 'int32'),
      tf.tensor2d(packed, [width, packed.length / width]),
      tf.tensor1d(
        packScalars({
          backboneRate: learningRate.backbone * factor,
          headRate: learningRate.head * factor,
          beta1Power: adamDefaults.beta1 ** (updates + 1),
          beta2Power: adamDefaults.beta2 ** (updates + 1),
          averageDecay: ema ? emaDecay(ema, updates + 1) : 0,
          labelSmoothing: rampValue(this.#phase.labelSmoothing, epoch, this.#phase.epochs),
          lossScale: lossScale?.value ?? 1,
          gathered,
        }),
      ),
      tf.tensor1d([noise.word() | 0, noise.word() | 0], 'int32'),
    ]
  }

  /**
   * Throws TRAIN_MEMORY, with the batch that fits, when a step would take more memory than there is: the system would
   * end the process without a word. Where even the upper bound fits nothing is measured.
   */
  async #checkMemory(step: Step): Promise<void> {
    const { batch, size } = this.#phase
    const available = availableMemory()
    if (useInputs(emptyInputs(batch, size), (inputs) => step.bytes(inputs)) <= available) return
    const { fixed, perPhoto } = await this.#measureNeed()
    if (fixed + perPhoto * batch > available) throw this.#tooLarge(Math.floor((available - fixed) / perPhoto))
  }

  /** Measures on variables of its own: a step changes them. */
  async #measureNeed(): Promise<MemoryNeed> {
    const { model, recipe } = this.#context
    const variables = variablesFor(model, this.#phase, recipe.precision, zeroValues(model))
    const step = this.#compile(variables)
    try {
      return await measureNeed((batch) => runEmpty(step, batch, this.#phase.size))
    } finally {
      step.dispose()
      variables.dispose()
    }
  }

  /** Where TensorFlow itself ran out of memory: tries smaller batches, to name the largest that fits. Other errors pass. */
  async #explainMemory(step: Step, error: unknown): Promise<never> {
    if (this.#cached || !(error instanceof TensorflowError) || error.code !== 'TENSORFLOW_OUT_OF_MEMORY') throw error
    throw this.#tooLarge(
      await largestThatFits(this.#phase.batch, (batch) => runEmpty(step, batch, this.#phase.size)),
      error,
    )
  }

  #tooLarge(fits: number, cause?: unknown): FlowersError {
    const { size, batch } = this.#phase
    const advice =
      fits < 1 ? 'not even a single photo fits' : `a batch of ${fits} fits: --set phases.${this.#name}.batch=${fits}`
    return new TrainerError(
      'TRAIN_MEMORY',
      `phase ${this.#name} runs out of memory with batches of ${batch} at ${size} px; ${advice}`,
      { cause },
    )
  }

  async #endEpoch(
    plain: Validation,
    augmented: Validation | null,
    trainSeconds: number,
    seconds: number,
  ): Promise<void> {
    const { log, board, progress } = this.#context
    const { epoch, sums, lossScale } = this.#position
    const { accuracy, loss: validLoss } = plain
    const { loss, accuracy: trainAccuracy } = this.#trained
    const threshold = this.#phase.earlyStopping?.threshold ?? 0
    const { criterion } = this.#context.recipe.data
    const { best, improved } = updateBest(this.#position.best, { accuracy, loss: validLoss }, epoch, {
      criterion,
      threshold,
    })
    const summary = {
      phase: this.#name,
      epoch,
      epochs: this.#phase.epochs,
      loss,
      trainAccuracy,
      validLoss,
      validAccuracy: accuracy,
      ttaAccuracy: augmented?.accuracy ?? null,
      best: improved,
      ...this.#rates,
      seconds,
    }
    const imagesPerSecond = sums.seen / trainSeconds
    const scaling = lossScale && { lossScale: lossScale.value, skippedSteps: sums.skipped }
    await log.write({ event: 'epoch', ...summary, imagesPerSecond, ...scaling, ...this.#focalPrior(plain) })
    board.epoch(Math.max(0, this.updates - 1), { ...summary, imagesPerSecond })
    this.#position = {
      ...this.#position,
      epoch: epoch + 1,
      step: 0,
      best,
      plateau: updatePlateau(this.#phase.learningRate.schedule, this.#position.plateau, accuracy),
      sums: noSums,
      metricsBytes: log.bytes,
      seconds: this.#position.seconds + seconds,
    }
    if (improved) await this.#writeBest()
    await this.#writeWeights(checkpointFiles.last, accuracy, epoch)
    await this.#save()
    progress.epochEnd(summary)
  }

  #factor(updates: number): number {
    const { learningRate, epochs } = this.#phase
    return scheduleFactor(learningRate.schedule, {
      step: updates,
      stepsPerEpoch: updatesPerEpoch(this.#stepsPerEpoch, this.#phase.accumulate),
      epochs,
      plateauFactor: this.#position.plateau.factor,
    })
  }

  #augment(epoch: number): AugmentOptions {
    const { augment, epochs } = this.#phase
    return atStrength(augment, rampValue(augment.strength, epoch, epochs))
  }

  #order(epoch: number): Int32Array {
    const { dataset, recipe } = this.#context
    const { samplerPower } = this.#phase
    const address = { seed: recipe.seed, epoch: streamEpoch(this.#name, epoch) }
    return epochOrder(
      dataset.train,
      samplerPower === 1 ? { ...address, kind: 'shuffle' } : { ...address, kind: 'classBalanced', power: samplerPower },
    )
  }

  #cacheHead(): CachedHead {
    const { folder, recipe, model, dataset, signal } = this.#context
    const { tta } = this.#phase
    return new CachedHead({
      folder: join(folder, runFiles.checkpoints),
      name: this.#name,
      phase: this.#phase,
      validViews: tta === null ? oneView : ttaViews[tta.views],
      variables: this.#variables,
      recipe,
      model,
      dataset,
      signal,
    })
  }

  #compile(variables: TrainingVariables): Step {
    const { model, recipe } = this.#context
    return compileStep(model, variables, this.#phase, { precision: recipe.precision, classWeights: this.#classWeights })
  }

  get #classWeights(): number[] | null {
    const { classWeightBeta } = this.#phase
    return classWeightBeta === null ? null : effectiveNumberWeights(this.#trainCounts, classWeightBeta)
  }

  get #trainCounts(): number[] {
    const { labels, train } = this.#context.dataset
    const counts = labels.map(() => 0)
    for (const { index } of train) counts[index]!++
    return counts
  }

  async #writeBest(): Promise<void> {
    const { accuracy, epoch } = this.#position.best
    const name = checkpointFiles.bestOf(this.#name)
    await this.#writeWeights(name, accuracy, epoch)
    const target = this.#path(checkpointFiles.best)
    await copyFile(this.#path(name), `${target}.tmp`)
    await rename(`${target}.tmp`, target)
  }

  /** The weights that validation saw, under timm's names and in PyTorch's layouts. */
  async #writeWeights(name: string, accuracy: number, epoch: number): Promise<void> {
    const { model } = this.#context
    const values = new Map<string, Float32Array>()
    for (const { name: parameter } of model.parameters) {
      values.set(parameter, (await this.#variables.best(parameter).data()) as Float32Array)
    }
    await writeSafetensors(this.#path(name), toTimmTensors(model, values), {
      architecture: model.architecture,
      phase: this.#name,
      epoch: String(epoch),
      size: String(this.#phase.size),
      validAccuracy: String(accuracy),
    })
  }

  async #save(): Promise<void> {
    await saveState(this.#path(checkpointFiles.state), this.#variables, this.#position)
    this.#lastSave = performance.now()
  }

  /** Saves and ends the run with the reason it was stopped for. */
  async #stop(): Promise<never> {
    await this.#save()
    throw this.#context.signal.reason
  }

  /** Validation that is stopped loses nothing: the state before it is saved. */
  async #interruptible<T>(work: () => Promise<T>): Promise<T> {
    if (this.#context.signal.aborted) await this.#stop()
    try {
      return await work()
    } catch (error) {
      if (this.#context.signal.aborted) await this.#stop()
      throw error
    }
  }

  #path(name: string): string {
    return checkpointPath(this.#context.folder, name)
  }
}
