import type { Tensor } from '@tensorflow/tfjs-core'

/**
 * How a parameter is laid out in PyTorch, where it differs from TensorFlow: decides the transpose on reading and
 * writing. `pointwise` is a matrix here and a 1x1 convolution in timm.
 */
export type ParameterKind = 'convolution' | 'depthwise' | 'linear' | 'pointwise' | 'vector'

export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'constant'; readonly value: number }
  /** Normal with this deviation, cut at two deviations. */
  | { readonly kind: 'truncatedNormal'; readonly std: number }

/** One named array of a model, in TensorFlow's layout: HWIO, HWC1 for depthwise, [in, out] for linear and pointwise. */
export interface ParameterSpec {
  /** timm's name, such as `stages.0.blocks.0.conv_dw.weight`. */
  readonly name: string
  readonly shape: readonly number[]
  readonly kind: ParameterKind
  readonly initializer: Initializer
  /** The head learns in phase 1 and has its own learning rate. */
  readonly group: 'backbone' | 'head'
  /** False for biases, normalisation and LayerScale: no weight decay. */
  readonly decay: boolean
  /** False for state that no gradient reaches, such as the moving averages of a normalisation: no optimizer state. */
  readonly trainable: boolean
}

export interface ForwardContext {
  /** Value of a parameter by name. */
  readonly parameter: (name: string) => Tensor
  /** True: dropout and stochastic depth act. */
  readonly training: boolean
  /**
   * Uniform numbers in [0, 1) of this shape, a fresh stream per call; inside a trace drawn by TensorFlow from the
   * step's seed. Only called while `training`.
   */
  readonly uniform: (shape: number[]) => Tensor
}

export interface ModelOptions {
  readonly classes: number
  /** `mlp`: the report's LayerNorm, Linear to `hidden`, GELU, Dropout, Linear. `linear`: the architecture's own head. */
  readonly head:
    | { readonly kind: 'linear' }
    | { readonly kind: 'mlp'; readonly hidden: number; readonly dropout: number }
  /** Largest probability of dropping a residual branch; grows linearly with depth. */
  readonly stochasticDepth: number
  /** Initial LayerScale; 0 leaves LayerScale out. */
  readonly layerScale: number
}

/** A network ready to be run with any set of parameter values. */
export interface Model {
  readonly architecture: string
  readonly options: ModelOptions
  readonly parameters: readonly ParameterSpec[]
  /** Number of values a pooled feature vector has. */
  readonly featureCount: number
  /** `images` [N, S, S, 3], normalised, to the feature map before pooling [N, h, w, featureCount]. */
  readonly featureMap: (images: Tensor, context: ForwardContext) => Tensor
  /** Feature map to logits [N, classes]: pooling and head. */
  readonly classify: (featureMap: Tensor, context: ForwardContext) => Tensor
  /**
   * The same function of the image with what is constant after training merged into neighbouring weights (LayerScale,
   * a normalisation's statistics): fewer operations to export. `values` by parameter name, in TensorFlow's layout; not
   * changed.
   */
  readonly fold: (values: ReadonlyMap<string, Float32Array>) => { model: Model; values: Map<string, Float32Array> }
}

export interface Architecture {
  readonly name: string
  readonly family: string
  readonly defaults: Pick<ModelOptions, 'head' | 'stochasticDepth' | 'layerScale'>
  readonly build: (options: ModelOptions) => Model
}
