import * as tf from '@tensorflow/tfjs-core'
import { applyAugmentations, packedWidth } from '../input/apply-augment.ts'
import { movesPixels } from '../input/augment.ts'
import type { ForwardContext, Model, ParameterSpec } from '../model/architecture.ts'
import { adamDefaults, applyAdamW, globalNorm } from '../optim/optimizer.ts'
import { classificationLoss, distillationLoss, smoothedTargets } from '../optim/loss.ts'
import type { Phase, TeacherOptions } from '../recipe/schema.ts'
import { bytes, castToFloat, compile, stateless } from '@flowers/tensorflow'
import type { Precision } from '@flowers/tensorflow/precision'
import { TrainingVariables } from './variables.ts'

/** The scalars that change from step to step, in the order of the step's input `scalars`. */
const scalarNames = [
  'backboneRate',
  'headRate',
  'beta1Power',
  'beta2Power',
  'averageDecay',
  'labelSmoothing',
  'lossScale',
  'accumulated',
] as const
type ScalarName = (typeof scalarNames)[number]
/** `lossScale`: 1 if the precision needs none. `accumulated`: micro-steps of this update. */
export type StepScalars = Readonly<Record<ScalarName, number>>

export const packScalars = (scalars: StepScalars): Float32Array =>
  Float32Array.from(scalarNames, (name) => scalars[name])

function unpackScalars(packed: tf.Tensor): Record<ScalarName, tf.Scalar> {
  const scalars = tf.unstack(packed)
  return Object.fromEntries(scalarNames.map((name, index) => [name, scalars[index]])) as Record<ScalarName, tf.Scalar>
}

export interface StepOptions {
  readonly precision: Precision
  /** One weight a class, mean 1; null: all equal. */
  readonly classWeights: readonly number[] | null
  /** Null: labels alone teach. */
  readonly teacher?: Pick<TeacherOptions, 'temperature' | 'share'> | null
}

type Trains = Pick<Phase, 'trainable' | 'batchNorm'>

/** The batch normalisations that use and move the statistics of the batch in a phase. */
function movingNormalizations(model: Model, { batchNorm }: Trains): readonly string[] {
  const counts = { frozen: 0, trained: model.batchNormalizations.length, last: 1 }
  return batchNorm === 'frozen' ? [] : model.batchNormalizations.slice(-counts[batchNorm])
}

/** The parameters a phase trains by gradient. */
export function trainableParameters(model: Model, phase: Trains): ParameterSpec[] {
  const last = phase.batchNorm === 'last' ? model.batchNormalizations.at(-1) : undefined
  const learns = ({ name, group }: ParameterSpec): boolean =>
    phase.trainable === 'all' || group === 'head' || name === `${last}.weight` || name === `${last}.bias`
  return model.parameters.filter((spec) => spec.trainable && learns(spec))
}

/** The moving averages a phase changes without a gradient. */
function movingAverages(model: Model, phase: Trains): ParameterSpec[] {
  const names = new Set(
    movingNormalizations(model, phase).flatMap((name) => [`${name}.running_mean`, `${name}.running_var`]),
  )
  return model.parameters.filter(({ name }) => names.has(name))
}

/** Whether gradients are multiplied while they are computed, so that small ones survive. */
export const scalesLoss = (precision: Precision): boolean => precision === 'float16'

/** Arrays for a phase that starts from these weights. */
export function variablesFor(
  model: Model,
  phase: Trains & Pick<Phase, 'ema' | 'accumulate'>,
  precision: Precision,
  values: ReadonlyMap<string, Float32Array>,
): TrainingVariables {
  const trained = trainableParameters(model, phase)
  const averaged = phase.ema ? [...trained, ...movingAverages(model, phase)] : []
  return new TrainingVariables(model, trained, values, averaged, phase.accumulate > 1 || scalesLoss(precision))
}

/** Fresh uniform numbers at every call, all from one seed tensor int32 [2]. */
function seededUniform(seed: tf.Tensor): (shape: number[]) => tf.Tensor {
  let calls = 0
  return (shape) => stateless.uniform(shape, tf.add(seed, tf.tensor1d([0, calls++], 'int32')))
}

/** Pooled features [N, F] as a feature map of one place [N, 1, 1, F], on which pooling changes nothing. */
export function onFeatures(features: tf.Tensor): tf.Tensor {
  const [photos, width] = features.shape as [number, number]
  return tf.reshape(features, [photos, 1, 1, width])
}

/**
 * Photos uint8 [N, S, S, 3]; labels int32 [N]; packed augmentations [N, 31]; scalars [8]; seed int32 [2]. A phase on cached
 * features takes those, float32 [N, F], in place of photos, and ignores the augmentations. The softened
 * probabilities of the teacher are float32 [N, K], or [0] where there is none.
 */
export type StepInputs = readonly [
  photos: tf.Tensor,
  labels: tf.Tensor,
  packed: tf.Tensor,
  scalars: tf.Tensor,
  seed: tf.Tensor,
  soft: tf.Tensor,
]

export interface StepResult {
  /** Mean over the batch, nats. */
  readonly loss: number
  /** Photos whose own label is on top. */
  readonly correct: number
  /**
   * Norm of the gradient accumulated so far, unscaled and before clipping. If it is not finite, a step that accumulates has skipped
   * the update.
   */
  readonly gradientNorm: number
}

export interface Step {
  /**
   * Forward and backward, and the update if `complete`. Inputs may be disposed of as soon as the promise is returned. A scaled
   * or accumulated gradient that is not finite is dropped, and weights, moments and averages stay as they are.
   */
  readonly run: (inputs: StepInputs, complete: boolean) => Promise<StepResult>
  /** An upper bound of the bytes a run takes, see `Compiled`. */
  readonly bytes: (inputs: StepInputs) => number
  readonly dispose: () => void
}

/**
 * A training step. If every step is an update and the loss is not scaled, it is one TensorFlow function: augmentation,
 * forward, backward, clipping, AdamW and moving average, on variables in place. Otherwise it is two: one adds its gradient
 * to the accumulated one, the other updates, unless the gradient overflowed.
 */
export function compileStep(model: Model, variables: TrainingVariables, phase: Phase, options: StepOptions): Step {
  const gradients = gradientOf(model, variables, phase, options)
  const update = updateOf(model, variables, phase)
  const trained = trainableParameters(model, phase)
  const { precision } = options

  if (!variables.accumulates) {
    const step = compile(
      (...inputs: StepInputs) => {
        const { loss, correct, grads } = gradients(inputs)
        return { loss, correct, gradientNorm: update(grads, inputs[3], null) }
      },
      { name: 'train_step', precision },
    )
    return {
      run: async (inputs) => readScalars(await step.run(...inputs)),
      bytes: (inputs) => step.bytes(...inputs),
      dispose: step.dispose,
    }
  }

  const accumulated = (): tf.Tensor[] => trained.map(({ name }) => variables.gradient(name).read())
  const accumulate = compile(
    (...inputs: StepInputs) => {
      const { lossScale, accumulated: count } = unpackScalars(inputs[3])
      const { loss, correct, grads } = gradients(inputs, tf.div<tf.Scalar>(lossScale, count))
      trained.forEach(({ name }, index) => variables.gradient(name).assignAdd(grads[index]!))
      return { loss, correct, gradientNorm: tf.div(globalNorm(accumulated()), lossScale) }
    },
    { name: 'accumulation_step', precision },
  )
  const apply = compile(
    (scalars: tf.Tensor) => {
      const gradientNorm = update(accumulated(), scalars, tf.reciprocal(unpackScalars(scalars).lossScale))
      for (const { name, shape } of trained) variables.gradient(name).assign(tf.zeros([...shape]))
      return { gradientNorm }
    },
    { name: 'update_step' },
  )
  return {
    async run(inputs, complete) {
      const scalars = inputs[3].clone()
      try {
        const result = await readScalars(await accumulate.run(...inputs))
        if (!complete) return result
        if (Number.isFinite(result.gradientNorm)) await readScalars(await apply.run(scalars))
        else variables.clearGradients()
        return result
      } finally {
        scalars.dispose()
      }
    },
    bytes: (inputs) => Math.max(accumulate.bytes(...inputs), apply.bytes(inputs[3])),
    dispose() {
      accumulate.dispose()
      apply.dispose()
    },
  }
}

async function readScalars<N extends string>(tensors: Record<N, tf.Tensor>): Promise<Record<N, number>> {
  const numbers = {} as Record<N, number>
  for (const name in tensors) numbers[name] = (await tensors[name].data())[0]!
  tf.dispose(tensors)
  return numbers
}

/** Traces forward and backward. `scale` multiplies the loss whose gradient is taken, but not the loss that is returned. */
function gradientOf(
  model: Model,
  variables: TrainingVariables,
  phase: Phase,
  { classWeights, precision, teacher = null }: StepOptions,
) {
  const trained = trainableParameters(model, phase)
  const moving = new Set(movingNormalizations(model, phase))
  const { augment, mix } = phase
  const apply = {
    geometry: movesPixels(augment),
    erasing: augment.erasing.probability > 0,
    mixing: mix.probability > 0 && mix.mixupAlpha + mix.cutmixAlpha > 0,
  }
  const isCached = phase.features === 'cached'
  const { classes } = model.options
  const lossOptions = { classWeights, focalGamma: phase.focalGamma }

  return ([photos, labels, packed, scalars, seed, soft]: StepInputs, scale?: tf.Scalar) => {
    const { images, lam } = isCached
      ? { images: photos, lam: tf.scalar(1) }
      : applyAugmentations(castToFloat(photos) as tf.Tensor4D, packed as tf.Tensor2D, apply)
    const own = smoothedTargets(labels as tf.Tensor1D, classes, unpackScalars(scalars).labelSmoothing)
    const mixed = (targets: tf.Tensor): tf.Tensor2D => {
      const partner = tf.reverse(targets, 0)
      return (apply.mixing ? tf.add(partner, tf.mul(lam, tf.sub(targets, partner))) : targets) as tf.Tensor2D
    }
    const targets = mixed(own)
    const taught = teacher ? { targets: mixed(soft), ...teacher } : null

    const values = new Map(model.parameters.map(({ name }) => [name, variables.weight(name).read()]))
    const context: ForwardContext = {
      parameter: (name) => values.get(name)!,
      training: true,
      uniform: seededUniform(seed),
      batchStatistics: {
        trains: (name) => moving.has(name),
        update: (name, value) => {
          const average = variables.weight(name)
          // No later step could take an overflow out of a moving average.
          average.assign(scalesLoss(precision) ? tf.where(tf.isFinite(value), value, average.read()) : value)
        },
      },
    }
    let correct: tf.Tensor | undefined
    const { value, grads } = tf.valueAndGrads((...arrays) => {
      trained.forEach(({ name }, index) => values.set(name, arrays[index]!))
      const featureMap = isCached ? onFeatures(images) : model.featureMap(images, context)
      const logits = model.classify(featureMap, context) as tf.Tensor2D
      correct = tf.keep(tf.sum(tf.cast(tf.equal(tf.argMax(logits, -1), labels), 'float32')))
      const loss = classificationLoss(logits, targets, lossOptions)
      if (!taught) return loss
      const distilled = distillationLoss(logits, taught.targets, taught.temperature)
      return tf.add<tf.Scalar>(tf.mul(loss, 1 - taught.share), tf.mul(distilled, taught.share))
    })(
      trained.map(({ name }) => variables.weight(name).read()),
      scale,
    )
    return { loss: value, correct: correct!, grads }
  }
}

/** Traces clipping, AdamW and the moving average, and returns the norm. `factor` multiplies the gradients first; null: 1. */
function updateOf(model: Model, variables: TrainingVariables, phase: Phase) {
  const trained = trainableParameters(model, phase)
  return (gradients: readonly tf.Tensor[], scalars: tf.Tensor, factor: tf.Scalar | null): tf.Scalar => {
    const { backboneRate, headRate, beta1Power, beta2Power, averageDecay } = unpackScalars(scalars)
    const norm = globalNorm(gradients)
    const gradientNorm = factor === null ? norm : tf.mul<tf.Scalar>(norm, factor)
    const clip = phase.clipNorm === null ? null : tf.minimum(1, tf.div(phase.clipNorm, tf.add(gradientNorm, 1e-6)))
    const product = clip === null ? factor : factor === null ? clip : tf.mul(clip, factor)
    trained.forEach(({ name, group, decay }, index) => {
      const gradient = gradients[index]!
      applyAdamW(variables.trained(name), {
        gradient: product === null ? gradient : tf.mul(gradient, product),
        learningRate: group === 'head' ? headRate : backboneRate,
        weightDecay: decay ? phase.weightDecay : 0,
        beta1Power,
        beta2Power,
      })
    })
    for (const [name, average] of variables.averages()) {
      const kept = average.read()
      average.assignSub(tf.mul(tf.sub(kept, variables.weight(name).read()), tf.sub(1, averageDecay)))
    }
    return gradientNorm
  }
}

const idleScalars: StepScalars = {
  backboneRate: 0,
  headRate: 0,
  beta1Power: adamDefaults.beta1,
  beta2Power: adamDefaults.beta2,
  averageDecay: 1,
  labelSmoothing: 0,
  lossScale: 1,
  accumulated: 1,
}

/** Inputs of a step with `batch` black photos, to measure a step. `taught`: classes of the teacher's targets, if there is one. */
export function emptyInputs(batch: number, size: number, taught: number | null = null): StepInputs {
  return [
    bytes(new Uint8Array(batch * size * size * 3), [batch, size, size, 3]),
    tf.zeros([batch], 'int32'),
    tf.zeros([batch, packedWidth]),
    tf.tensor1d(packScalars(idleScalars)),
    tf.zeros([2], 'int32'),
    taught === null ? tf.zeros([0]) : tf.fill([batch, taught], 1 / taught),
  ]
}

/** Calls `use` with inputs and disposes of them. */
export function useInputs<T>(inputs: StepInputs, use: (inputs: StepInputs) => T): T {
  try {
    return use(inputs)
  } finally {
    tf.dispose([...inputs])
  }
}

/** Runs a step on black photos; it changes the variables. */
export async function runEmpty(step: Step, batch: number, size: number, taught: number | null = null): Promise<void> {
  await useInputs(emptyInputs(batch, size, taught), (inputs) => step.run(inputs, true))
}
