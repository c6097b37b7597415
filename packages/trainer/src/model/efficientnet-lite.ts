/**
 * EfficientNet-Lite 0, 1 and 2.
 *
 * Paper: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
 * arXiv:1905.11946. Reference code: tensorflow/tpu `models/official/efficientnet/lite/efficientnet_lite_builder.py`
 * (Apache-2.0), which is EfficientNet without squeeze-and-excitation, with ReLU6, and with a stem and a head that do not
 * grow with the width. Parameter names: huggingface/pytorch-image-models `tf_efficientnet_lite0` (Apache-2.0). Written
 * anew for TensorFlow; no code was taken over.
 *
 * What differs from the reference: initial filters are cut at two deviations, and the classifier's are normal. While the
 * statistics of a batch normalisation are frozen, and in an exported graph, it is folded into the convolution before it:
 * gamma (w * x - mean) / sigma + beta = (w gamma / sigma) * x + (beta - mean gamma / sigma). The scale then acts on the
 * small filter instead of the large map; value and gradients are the same.
 */
import { efficientnetLiteNormalization } from '@flowers/shared/image/preprocessing'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import { batchNormByBatch } from '@flowers/tensorflow/batch-norm'
import { depthwiseConv2d } from '@flowers/tensorflow/depthwise'
import { relu6 } from '@flowers/tensorflow/ops'
import type { Architecture, ForwardContext, Model, ModelOptions, ParameterSpec } from './architecture.ts'
import { buildHead, buildPooledClassifier, dropBranch } from './head.ts'
import { batchNormalization, filter, weightAndBias } from './parameter.ts'
import { TrainerError } from '../errors.ts'

interface EfficientNetLiteConfig {
  readonly name: string
  /** Channels of the blocks times this, rounded to a multiple of 8. */
  readonly width: number
  /** Blocks of a stage times this, rounded up; the first and the last stage keep their one block. */
  readonly depth: number
  /** Dropout before the classifier. */
  readonly dropout: number
}

interface Stage {
  readonly kernel: number
  readonly stride: number
  readonly expansion: number
  readonly channels: number
  readonly blocks: number
}

/** EfficientNet-B0's stages. */
const stages: readonly Stage[] = [
  { kernel: 3, stride: 1, expansion: 1, channels: 16, blocks: 1 },
  { kernel: 3, stride: 2, expansion: 6, channels: 24, blocks: 2 },
  { kernel: 5, stride: 2, expansion: 6, channels: 40, blocks: 2 },
  { kernel: 3, stride: 2, expansion: 6, channels: 80, blocks: 3 },
  { kernel: 5, stride: 1, expansion: 6, channels: 112, blocks: 3 },
  { kernel: 5, stride: 2, expansion: 6, channels: 192, blocks: 4 },
  { kernel: 3, stride: 1, expansion: 6, channels: 320, blocks: 1 },
]
const stemChannels = 32
const headChannels = 1280
const epsilon = 1e-3
/** Share of the old moving average that a step keeps. */
const momentum = 0.99

/** A convolution with SAME padding as TensorFlow has it (more below and to the right), its normalisation, and ReLU6. */
interface Layer {
  readonly convolution: string
  readonly normalization: string
  readonly kernel: number
  readonly stride: number
  readonly inputs: number
  readonly outputs: number
  readonly depthwise: boolean
  readonly activated: boolean
}

interface Block {
  readonly layers: readonly Layer[]
  /** True: the block's input is added to what its layers make of it. */
  readonly residual: boolean
}

/** An EfficientNet-Lite of any width and depth. */
export function efficientnetLite(config: EfficientNetLiteConfig): Architecture {
  return {
    name: config.name,
    family: 'efficientnet-lite',
    // Depthwise convolutions dominate, and in bfloat16 oneDNN's are slower: 24 instead of 31 photos/s at 224 px.
    fastest: { cpu: 'float32', gpu: 'float16' },
    normalization: efficientnetLiteNormalization,
    defaults: { head: { kind: 'linear' }, stochasticDepth: 0.2, layerScale: 0 },
    build: (options) => {
      if (options.layerScale !== 0)
        throw new TrainerError('RECIPE_INVALID', `${config.name} has no LayerScale: set model.layerScale to 0`)
      return build(config, options, false)
    },
  }
}

function build(config: EfficientNetLiteConfig, options: ModelOptions, folded: boolean): Model {
  const blocks = describeBlocks(config)
  const layers = blocks.flatMap((block) => block.layers)
  const head =
    options.head.kind === 'linear'
      ? buildPooledClassifier(headChannels, options.classes, config.dropout)
      : buildHead(headChannels, options)
  const apply = folded ? applyFolded : applyLayer
  // The stem and the head are blocks here; the reference counts only what is between them.
  const counted = blocks.length - 2

  const featureMap = (images: Tensor, context: ForwardContext): Tensor =>
    blocks.reduce((x, block, index) => {
      const made = block.layers.reduce((y, layer) => apply(y, layer, context), x)
      if (!block.residual) return made
      return tf.add(x, dropBranch(made, (options.stochasticDepth * (index - 1)) / counted, context))
    }, images)

  return {
    architecture: config.name,
    options,
    parameters: [...layers.flatMap((layer) => parametersOf(layer, folded)), ...head.parameters],
    featureCount: headChannels,
    batchNormalizations: folded ? [] : layers.map(({ normalization }) => normalization),
    featureMap,
    classify: head.classify,
    fold: (values) => ({
      model: build(config, options, true),
      values: folded ? new Map(values) : foldNormalizations(layers, values),
    }),
  }
}

/** To the nearest multiple of 8, but by no more than a tenth down. */
function roundChannels(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8)
  return rounded < 0.9 * channels ? rounded + 8 : rounded
}

function describeBlocks({ width, depth }: EfficientNetLiteConfig): Block[] {
  const stem = pointwise('conv_stem', 'bn1', 3, stemChannels)
  const blocks: Block[] = [{ layers: [{ ...stem, kernel: 3, stride: 2 }], residual: false }]
  let inputs = stemChannels
  for (const [index, stage] of stages.entries()) {
    const outputs = roundChannels(stage.channels * width)
    const isFixed = index === 0 || index === stages.length - 1
    const count = isFixed ? stage.blocks : Math.ceil(stage.blocks * depth)
    for (let number = 0; number < count; number++) {
      const stride = number === 0 ? stage.stride : 1
      const layers = describeBlock(`blocks.${index}.${number}`, { ...stage, stride }, inputs, outputs)
      blocks.push({ layers, residual: stride === 1 && inputs === outputs })
      inputs = outputs
    }
  }
  blocks.push({ layers: [pointwise('conv_head', 'bn2', inputs, headChannels)], residual: false })
  return blocks
}

/** timm numbers a block's layers from its first: without an expansion the names move up by one. */
function describeBlock(name: string, { kernel, stride, expansion }: Stage, inputs: number, outputs: number): Layer[] {
  const inner = inputs * expansion
  const spatial = (normalization: string): Layer => ({
    ...pointwise(`${name}.conv_dw`, `${name}.${normalization}`, inner, inner),
    kernel,
    stride,
    depthwise: true,
  })
  const project = (convolution: string, normalization: string): Layer => ({
    ...pointwise(`${name}.${convolution}`, `${name}.${normalization}`, inner, outputs),
    activated: false,
  })
  if (expansion === 1) return [spatial('bn1'), project('conv_pw', 'bn2')]
  return [pointwise(`${name}.conv_pw`, `${name}.bn1`, inputs, inner), spatial('bn2'), project('conv_pwl', 'bn3')]
}

const pointwise = (convolution: string, normalization: string, inputs: number, outputs: number): Layer => ({
  convolution,
  normalization,
  kernel: 1,
  stride: 1,
  inputs,
  outputs,
  depthwise: false,
  activated: true,
})

function parametersOf(
  { convolution, normalization, kernel, inputs, outputs, depthwise }: Layer,
  folded: boolean,
): ParameterSpec[] {
  const kind = depthwise ? 'depthwise' : 'convolution'
  const shape = depthwise ? [kernel, kernel, outputs, 1] : [kernel, kernel, inputs, outputs]
  if (folded) return weightAndBias(convolution, shape, kind, 'backbone')
  return [filter(convolution, shape, kind, 'backbone'), ...batchNormalization(normalization, outputs, 'backbone')]
}

function convolve(x: Tensor, weights: Tensor, { stride, depthwise }: Layer): Tensor {
  if (!depthwise) return tf.conv2d(x as Tensor4D, weights as Tensor4D, stride, 'same')
  return stride === 1
    ? depthwiseConv2d(x, weights)
    : tf.depthwiseConv2d(x as Tensor4D, weights as Tensor4D, stride, 'same')
}

const activate = (x: Tensor, { activated }: Layer): Tensor => (activated ? relu6(x) : x)

function applyLayer(x: Tensor, layer: Layer, context: ForwardContext): Tensor {
  const { parameter, batchStatistics } = context
  const { convolution, normalization } = layer
  const weights = parameter(`${convolution}.weight`)
  const [gamma, beta] = [parameter(`${normalization}.weight`), parameter(`${normalization}.bias`)]
  const [meanName, varianceName] = [`${normalization}.running_mean`, `${normalization}.running_var`]
  const [mean, variance] = [parameter(meanName), parameter(varianceName)]
  if (context.training && batchStatistics?.trains(normalization)) {
    const normal = batchNormByBatch(convolve(x, weights, layer), gamma, beta, epsilon, (batchMean, batchVariance) => {
      batchStatistics.update(meanName, movingAverage(mean, batchMean))
      batchStatistics.update(varianceName, movingAverage(variance, batchVariance))
    })
    return activate(normal, layer)
  }
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon)))
  const scaled = tf.mul(weights, layer.depthwise ? tf.reshape(scale, [-1, 1]) : scale)
  return activate(tf.add(convolve(x, scaled, layer), tf.sub(beta, tf.mul(mean, scale))), layer)
}

const movingAverage = (kept: Tensor, fresh: Tensor): Tensor => tf.add(kept, tf.mul(tf.sub(fresh, kept), 1 - momentum))

function applyFolded(x: Tensor, layer: Layer, { parameter }: ForwardContext): Tensor {
  const made = convolve(x, parameter(`${layer.convolution}.weight`), layer)
  return activate(tf.add(made, parameter(`${layer.convolution}.bias`)), layer)
}

function foldNormalizations(
  layers: readonly Layer[],
  values: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const folded = new Map(values)
  for (const { convolution, normalization } of layers) {
    const take = (suffix: string): Float32Array => {
      folded.delete(`${normalization}.${suffix}`)
      return values.get(`${normalization}.${suffix}`) ?? new Float32Array()
    }
    const [gamma, beta, mean, variance] = [take('weight'), take('bias'), take('running_mean'), take('running_var')]
    const scale = Float64Array.from(gamma, (value, index) => value / Math.sqrt((variance[index] ?? 1) + epsilon))
    const at = (index: number): number => scale[index % scale.length] ?? 1
    const weights = values.get(`${convolution}.weight`) ?? new Float32Array()
    folded.set(
      `${convolution}.weight`,
      weights.map((weight, index) => weight * at(index)),
    )
    folded.set(
      `${convolution}.bias`,
      beta.map((value, index) => value - (mean[index] ?? 0) * at(index)),
    )
  }
  return folded
}

/** Factors and dropout as in the reference; it trained them at 224, 240 and 260 px. */
export const efficientnetLiteArchitectures: readonly Architecture[] = [
  { name: 'efficientnet_lite0', width: 1, depth: 1, dropout: 0.2 },
  { name: 'efficientnet_lite1', width: 1, depth: 1.1, dropout: 0.2 },
  { name: 'efficientnet_lite2', width: 1.1, depth: 1.2, dropout: 0.3 },
].map(efficientnetLite)
