import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { gelu, layerNorm } from '@flowers/tensorflow/ops'
import type { ForwardContext, ModelOptions, ParameterSpec } from './architecture.ts'
import { normalization, weightAndBias } from './parameter.ts'

/**
 * Classification heads on a feature map, under the names of timm's `NormMlpClassifierHead`, which reads both:
 *
 * - `linear`: global average pool, `head.norm` (LayerNorm), `head.fc`.
 * - `mlp`: global average pool, `head.norm` (LayerNorm), `head.pre_logits.fc` (to `hidden`), GELU, dropout, `head.fc`.
 */
interface Head {
  readonly parameters: readonly ParameterSpec[]
  /** [N, h, w, features] to logits [N, classes]. */
  readonly classify: (featureMap: Tensor, context: ForwardContext) => Tensor
}

const epsilon = 1e-6

/** True for the layers that are specific to a set of classes; the head's normalisation is not one of them. */
export function isClassifier(parameterName: string): boolean {
  return /^(head\.fc|head\.pre_logits|classifier)\./.test(parameterName)
}

export function buildHead(features: number, { classes, head }: Pick<ModelOptions, 'classes' | 'head'>): Head {
  const hidden = head.kind === 'mlp' ? head.hidden : features
  const parameters = [
    ...normalization('head.norm', features, 'head'),
    ...(head.kind === 'mlp' ? weightAndBias('head.pre_logits.fc', [features, hidden], 'linear', 'head') : []),
    ...weightAndBias('head.fc', [hidden, classes], 'linear', 'head'),
  ]
  const classify = (featureMap: Tensor, context: ForwardContext): Tensor => {
    const { parameter } = context
    const pooled = tf.mean(featureMap, [1, 2])
    const normal = layerNorm(pooled, parameter('head.norm.weight'), parameter('head.norm.bias'), epsilon)
    if (head.kind === 'linear') return linear(normal, 'head.fc', context)
    const projected = gelu(linear(normal, 'head.pre_logits.fc', context))
    return linear(dropout(projected, head.dropout, context), 'head.fc', context)
  }
  return { parameters, classify }
}

/** EfficientNet's own head under timm's name: global average pool, dropout, `classifier`. */
export function buildPooledClassifier(features: number, classes: number, dropoutRate: number): Head {
  return {
    parameters: weightAndBias('classifier', [features, classes], 'linear', 'head'),
    classify: (featureMap, context) =>
      linear(dropout(tf.mean(featureMap, [1, 2]), dropoutRate, context), 'classifier', context),
  }
}

/** `x` [M, in] times `name`.weight [in, out] plus `name`.bias. */
export function linear(x: Tensor, name: string, { parameter }: ForwardContext): Tensor {
  return tf.add(tf.matMul(x as Tensor2D, parameter(`${name}.weight`) as Tensor2D), parameter(`${name}.bias`))
}

/** Zeroes each value with probability `rate` while training and scales the others so that the mean stays (arXiv:1207.0580). */
function dropout(x: Tensor, rate: number, context: ForwardContext): Tensor {
  return context.training && rate > 0 ? keepSome(x, rate, context.uniform(x.shape)) : x
}

/**
 * Stochastic depth (arXiv:1603.09382) on a residual branch [N, ...]: drops the branch of a whole sample with probability
 * `rate` while training and scales the others so that the mean stays.
 */
export function dropBranch(branch: Tensor, rate: number, context: ForwardContext): Tensor {
  if (!context.training || rate === 0) return branch
  return keepSome(branch, rate, context.uniform([branch.shape[0] ?? 1, ...branch.shape.slice(1).map(() => 1)]))
}

function keepSome(x: Tensor, rate: number, uniform: Tensor): Tensor {
  return tf.mul(x, tf.div(tf.cast(tf.greaterEqual(uniform, rate), 'float32'), 1 - rate))
}
