/**
 * ConvNeXt, version 1.
 *
 * Paper: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", CVPR 2022, arXiv:2201.03545.
 * Reference code: facebookresearch/ConvNeXt `models/convnext.py` (MIT); huggingface/pytorch-image-models
 * `timm/models/convnext.py` (Apache-2.0), from which come the parameter names and the sizes atto, femto, pico and nano.
 * Written anew for TensorFlow; no code was taken over.
 *
 * What differs from timm: channels last throughout, so the MLP of every size is a matrix product over tokens [N*H*W, C]
 * (timm's four smallest sizes write it as 1x1 convolutions: same numbers, and their checkpoints keep that layout);
 * initial weights are cut at two deviations instead of at an absolute 2.
 */
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import { depthwiseConv2d } from '@flowers/tensorflow/depthwise'
import { gelu, layerNorm } from '@flowers/tensorflow/ops'
import type { Architecture, ForwardContext, Model, ModelOptions, ParameterSpec } from './architecture.ts'
import { buildHead, dropBranch, linear } from './head.ts'
import { constantVector, normalization, weightAndBias } from './parameter.ts'

interface ConvNextConfig {
  readonly name: string
  /** Residual blocks a stage. */
  readonly depths: readonly number[]
  /** Channels a stage. */
  readonly dims: readonly number[]
  /** How timm stores the two layers of a block's MLP. */
  readonly mlpKind: 'linear' | 'pointwise'
  /** Largest drop probability of a residual branch by default. */
  readonly stochasticDepth: number
}

const epsilon = 1e-6
const kernelSize = 7
const expansion = 4
const patchSize = 4

/** A ConvNeXt of any size. Images must be at least `4 * 2 ** (stages - 1)` pixels a side. */
export function convnext(config: ConvNextConfig): Architecture {
  const { name, stochasticDepth } = config
  return {
    name,
    family: 'convnext',
    fastest: { cpu: 'bfloat16', gpu: 'float16' },
    normalization: imagenetNormalization,
    defaults: { head: { kind: 'linear' }, stochasticDepth, layerScale: 1e-6 },
    build: (options) => build(config, options),
  }
}

function build(config: ConvNextConfig, options: ModelOptions): Model {
  const { dims, depths } = config
  const featureCount = dims.at(-1) ?? 0
  const head = buildHead(featureCount, options)
  const rates = stochasticDepthRates(depths, options.stochasticDepth)

  const featureMap = (images: Tensor, context: ForwardContext): Tensor => {
    let x = convolve(images, 'stem.0', patchSize, context)
    x = normalizeMap(x, 'stem.1', context)
    for (const [stage, depth] of depths.entries()) {
      if (stage > 0) {
        x = normalizeMap(x, `stages.${stage}.downsample.0`, context)
        x = convolve(x, `stages.${stage}.downsample.1`, 2, context)
      }
      for (let index = 0; index < depth; index++) {
        x = block(x, `stages.${stage}.blocks.${index}`, options.layerScale > 0, rates[stage]?.[index] ?? 0, context)
      }
    }
    return x
  }

  return {
    architecture: config.name,
    options,
    parameters: [...backboneParameters(config, options.layerScale), ...head.parameters],
    featureCount,
    batchNormalizations: [],
    featureMap,
    classify: head.classify,
    fold: (values) => foldLayerScale(config, options, values),
  }
}

/**
 * Drop probability by stage and block: from 0 at the first block to `largest` at the last, in even steps. In [0, 1).
 */
export function stochasticDepthRates(depths: readonly number[], largest: number): number[][] {
  const blocks = depths.reduce((sum, depth) => sum + depth, 0)
  let position = 0
  return depths.map((depth) => Array.from({ length: depth }, () => (largest * position++) / Math.max(1, blocks - 1)))
}

function backboneParameters({ dims, depths, mlpKind }: ConvNextConfig, layerScale: number): ParameterSpec[] {
  const parameters: ParameterSpec[] = []
  let channels = dims[0] ?? 0
  parameters.push(...weightAndBias('stem.0', [patchSize, patchSize, 3, channels], 'convolution', 'backbone'))
  parameters.push(...normalization('stem.1', channels, 'backbone'))
  for (const [stage, depth] of depths.entries()) {
    const width = dims[stage] ?? 0
    if (stage > 0) {
      parameters.push(...normalization(`stages.${stage}.downsample.0`, channels, 'backbone'))
      parameters.push(
        ...weightAndBias(`stages.${stage}.downsample.1`, [2, 2, channels, width], 'convolution', 'backbone'),
      )
      channels = width
    }
    for (let index = 0; index < depth; index++) {
      const name = `stages.${stage}.blocks.${index}`
      if (layerScale > 0) parameters.push(constantVector(`${name}.gamma`, width, layerScale, 'backbone'))
      parameters.push(
        ...weightAndBias(`${name}.conv_dw`, [kernelSize, kernelSize, width, 1], 'depthwise', 'backbone'),
        ...normalization(`${name}.norm`, width, 'backbone'),
        ...weightAndBias(`${name}.mlp.fc1`, [width, expansion * width], mlpKind, 'backbone'),
        ...weightAndBias(`${name}.mlp.fc2`, [expansion * width, width], mlpKind, 'backbone'),
      )
    }
  }
  return parameters
}

function block(x: Tensor, name: string, scaled: boolean, dropRate: number, context: ForwardContext): Tensor {
  const { parameter } = context
  const spatial = tf.add(depthwiseConv2d(x, parameter(`${name}.conv_dw.weight`)), parameter(`${name}.conv_dw.bias`))
  let tokens = layerNorm(toTokens(spatial), parameter(`${name}.norm.weight`), parameter(`${name}.norm.bias`), epsilon)
  tokens = gelu(linear(tokens, `${name}.mlp.fc1`, context))
  tokens = linear(tokens, `${name}.mlp.fc2`, context)
  if (scaled) tokens = tf.mul(tokens, parameter(`${name}.gamma`))
  return tf.add(x, dropBranch(toMap(tokens, x), dropRate, context))
}

/** Convolution whose stride is the size of its filter, without padding: patches that do not overlap. */
function convolve(x: Tensor, name: string, stride: number, { parameter }: ForwardContext): Tensor {
  const filter = parameter(`${name}.weight`) as Tensor4D
  return tf.add(tf.conv2d(x as Tensor4D, filter, stride, 'valid'), parameter(`${name}.bias`))
}

function normalizeMap(x: Tensor, name: string, { parameter }: ForwardContext): Tensor {
  return toMap(layerNorm(toTokens(x), parameter(`${name}.weight`), parameter(`${name}.bias`), epsilon), x)
}

/** [N, H, W, C] to [N*H*W, C]. The ONNX export can only fuse normalisation and GELU in this form. */
function toTokens(x: Tensor): Tensor {
  return tf.reshape(x, [-1, x.shape[3] ?? 0])
}

/** [N*H*W, C] back to the map `like`; the batch is left open so that an exported graph takes any number of images. */
function toMap(tokens: Tensor, like: Tensor): Tensor {
  return tf.reshape(tokens, [-1, ...like.shape.slice(1)])
}

/** gamma * (h W + b) = h (W * gamma) + b * gamma, gamma along the outputs. */
function foldLayerScale(
  config: ConvNextConfig,
  options: ModelOptions,
  values: ReadonlyMap<string, Float32Array>,
): { model: Model; values: Map<string, Float32Array> } {
  const folded = new Map(values)
  for (const [name, gamma] of values) {
    if (!name.endsWith('.gamma')) continue
    const layer = `${name.slice(0, -'.gamma'.length)}.mlp.fc2`
    for (const part of [`${layer}.weight`, `${layer}.bias`]) {
      const scaled = values.get(part)?.map((value, index) => value * (gamma[index % gamma.length] ?? 1))
      if (scaled) folded.set(part, scaled)
    }
    folded.delete(name)
  }
  return { model: build(config, { ...options, layerScale: 0 }), values: folded }
}

type Size = Omit<ConvNextConfig, 'name'>

/** Dimensions as in timm; the default rate of stochastic depth is the paper's for ImageNet-1k (0.1 below tiny). */
const sizes: Record<string, Size> = {
  atto: { depths: [2, 2, 6, 2], dims: [40, 80, 160, 320], mlpKind: 'pointwise', stochasticDepth: 0.1 },
  femto: { depths: [2, 2, 6, 2], dims: [48, 96, 192, 384], mlpKind: 'pointwise', stochasticDepth: 0.1 },
  pico: { depths: [2, 2, 6, 2], dims: [64, 128, 256, 512], mlpKind: 'pointwise', stochasticDepth: 0.1 },
  nano: { depths: [2, 2, 8, 2], dims: [80, 160, 320, 640], mlpKind: 'pointwise', stochasticDepth: 0.1 },
  tiny: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768], mlpKind: 'linear', stochasticDepth: 0.1 },
  small: { depths: [3, 3, 27, 3], dims: [96, 192, 384, 768], mlpKind: 'linear', stochasticDepth: 0.4 },
  base: { depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024], mlpKind: 'linear', stochasticDepth: 0.5 },
  large: { depths: [3, 3, 27, 3], dims: [192, 384, 768, 1536], mlpKind: 'linear', stochasticDepth: 0.5 },
  // Of this repository: every kind of layer and as few of them as there can be, for tests that are about something else.
  test: { depths: [1, 1, 1, 1], dims: [16, 32, 48, 64], mlpKind: 'linear', stochasticDepth: 0.1 },
}

/** `convnext_atto` to `convnext_large`, and `convnext_test`. */
export const convnextArchitectures: readonly Architecture[] = Object.entries(sizes).map(([size, config]) =>
  convnext({ name: `convnext_${size}`, ...config }),
)
