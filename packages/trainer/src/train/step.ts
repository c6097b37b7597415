import * as tf from '@tensorflow/tfjs-core'
import { applyAugmentations, packedWidth } from '../data/apply-augment.ts'
import type { ForwardContext, Model, ParameterSpec } from '../model/architecture.ts'
import { applyAdamW, globalNorm } from '../optim/adamw.ts'
import { classificationLoss, smoothedTargets } from '../optim/loss.ts'
import type { Phase, Recipe } from '../recipe.ts'
import { bytes, castToFloat, compile, stateless } from '../tensorflow/index.ts'
import { TrainingVariables } from './variables.ts'

/** The scalars that change from step to step, in the order of the step's input `scalars`. */
const scalarNames = ['backboneRate', 'headRate', 'beta1Power', 'beta2Power', 'averageDecay', 'labelSmoothing'] as const
export type StepScalars = Readonly<Record<(typeof scalarNames)[number], number>>

type ScalarTensors = [tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar]

export const packScalars = (scalars: StepScalars): Float32Array =>
  Float32Array.from(scalarNames, (name) => scalars[name])

export interface StepOptions {
  readonly precision: Recipe['precision']
  /** One weight a class, mean 1; null: all equal. */
  readonly classWeights: readonly number[] | null
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

/** Arrays for a phase that starts from these weights. */
export function variablesFor(
  model: Model,
  phase: Trains & Pick<Phase, 'ema'>,
  values: ReadonlyMap<string, Float32Array>,
): TrainingVariables {
  const trained = trainableParameters(model, phase)
  return new TrainingVariables(model, trained, values, phase.ema ? [...trained, ...movingAverages(model, phase)] : [])
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
 * One training step as one TensorFlow function: augmentation, forward, backward, clipping, AdamW and the moving average,
 * variables updated in place.
 *
 * Inputs of `run`: photos uint8 [N, S, S, 3]; labels int32 [N]; packed augmentations [N, 31]; scalars [6]; seed int32 [2].
 * Where the phase has cached features those, float32 [N, F], take the place of photos, and the augmentations have no effect.
 * Outputs: `loss` (mean over the batch, nats), `correct` (photos whose own label is on top), `gradientNorm` before clipping.
 */
export function compileStep(model: Model, variables: TrainingVariables, phase: Phase, options: StepOptions) {
  const trained = trainableParameters(model, phase)
  const moving = new Set(movingNormalizations(model, phase))
  const { augment, mix } = phase
  const apply = {
    geometry:
      augment.horizontalFlip +
        augment.verticalFlip +
        augment.rotation +
        augment.affine.translate +
        augment.affine.shear >
        0 || augment.affine.scale[0] !== augment.affine.scale[1],
    erasing: augment.erasing.probability > 0,
    mixing: mix.probability > 0 && mix.mixupAlpha + mix.cutmixAlpha > 0,
  }
  const isCached = phase.features === 'cached'
  const { classes } = model.options
  const loss = { classWeights: options.classWeights, focalGamma: phase.focalGamma }

  return compile(
    (photos: tf.Tensor, labels: tf.Tensor, packed: tf.Tensor, scalars: tf.Tensor, seed: tf.Tensor) => {
      const { images, lam } = isCached
        ? { images: photos, lam: tf.scalar(1) }
        : applyAugmentations(castToFloat(photos) as tf.Tensor4D, packed as tf.Tensor2D, apply)
      const [backboneRate, headRate, beta1Power, beta2Power, averageDecay, labelSmoothing] = tf.unstack(
        scalars,
      ) as ScalarTensors
      const own = smoothedTargets(labels as tf.Tensor1D, classes, labelSmoothing)
      const partner = tf.reverse(own, 0)
      const targets = apply.mixing ? tf.add(partner, tf.mul(lam, tf.sub(own, partner))) : own

      const values = new Map(model.parameters.map(({ name }) => [name, variables.weight(name).read()]))
      const context: ForwardContext = {
        parameter: (name) => values.get(name)!,
        training: true,
        uniform: seededUniform(seed),
        batchStatistics: {
          trains: (name) => moving.has(name),
          update: (name, value) => variables.weight(name).assign(value),
        },
      }
      let correct: tf.Tensor | undefined
      const { value, grads } = tf.valueAndGrads((...arrays) => {
        trained.forEach(({ name }, index) => values.set(name, arrays[index]!))
        const featureMap = isCached ? onFeatures(images) : model.featureMap(images, context)
        const logits = model.classify(featureMap, context) as tf.Tensor2D
        correct = tf.keep(tf.sum(tf.cast(tf.equal(tf.argMax(logits, -1), labels), 'float32')))
        return classificationLoss(logits, targets as tf.Tensor2D, loss)
      })(trained.map(({ name }) => variables.weight(name).read()))

      const gradientNorm = globalNorm(grads)
      const factor = phase.clipNorm === null ? null : tf.minimum(1, tf.div(phase.clipNorm, tf.add(gradientNorm, 1e-6)))
      trained.forEach(({ name, group, decay }, index) => {
        const gradient = grads[index]!
        applyAdamW(variables.trained(name), {
          gradient: factor === null ? gradient : tf.mul(gradient, factor),
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
      return { loss: value, correct: correct!, gradientNorm }
    },
    { name: 'train_step', precision: options.precision },
  )
}

export type Step = ReturnType<typeof compileStep>
type StepInputs = Parameters<Step['run']>

/** Inputs of a step with `batch` black photos, to find out what a step takes. */
export function emptyInputs(batch: number, size: number): StepInputs {
  return [
    bytes(new Uint8Array(batch * size * size * 3), [batch, size, size, 3]),
    tf.zeros([batch], 'int32'),
    tf.zeros([batch, packedWidth]),
    tf.zeros([scalarNames.length]),
    tf.zeros([2], 'int32'),
  ]
}

/** Calls `use` with inputs and disposes of them. */
export function useInputs<T>(inputs: StepInputs, use: (inputs: StepInputs) => T): T {
  try {
    return use(inputs)
  } finally {
    tf.dispose(inputs)
  }
}

/** Runs a step on black photos; it changes the variables. */
export async function runEmpty(step: Step, batch: number, size: number): Promise<void> {
  tf.dispose(Object.values(await useInputs(emptyInputs(batch, size), (inputs) => step.run(...inputs))))
}
