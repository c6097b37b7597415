import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Precision } from '@flowers/tensorflow/precision'

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
  /** Batch normalisations that use the statistics of the batch; absent: all use the stored ones, also while training. */
  readonly batchStatistics?: BatchStatistics
}

/** Which batch normalisations train their statistics, and where the new moving averages go. */
export interface BatchStatistics {
  /** True for a batch normalisation, named as in {@link Model.batchNormalizations}, that normalises by its batch. */
  readonly trains: (name: string) => boolean
  /** Takes the new value of a moving average, by the name of its parameter, during the forward pass; once for each. */
  readonly update: (name: string, value: Tensor) => void
}

export interface ModelOptions {
  readonly classes: number
  /** `mlp`: LayerNorm, Linear to `hidden`, GELU, Dropout, Linear. `linear`: the architecture's own head. */
  readonly head:
    | { readonly kind: 'linear' }
    | { readonly kind: 'mlp'; readonly hidden: number; readonly dropout: number }
  /** Largest probability of dropping a residual branch; grows linearly with depth. */
  readonly stochasticDepth: number
  /** Initial LayerScale; 0 leaves LayerScale out, and is the only value for families that have none. */
  readonly layerScale: number
}

/** A network ready to be run with any set of parameter values. */
export interface Model {
  readonly architecture: string
  readonly options: ModelOptions
  readonly parameters: readonly ParameterSpec[]
  /** Number of values a pooled feature vector has. */
  readonly featureCount: number
  /** Batch normalisations from first to last: `<name>.running_mean` and `<name>.running_var` are their moving averages. */
  readonly batchNormalizations: readonly string[]
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
  /** What trains fastest, of the precisions that cost no accuracy; bfloat16 on a CPU only where it has the instructions. */
  readonly fastest: Readonly<Record<'cpu' | 'gpu', Precision>>
  /** What the family's pretrained weights expect of an image. */
  readonly normalization: Pick<Preprocessing, 'mean' | 'std'>
  readonly defaults: Pick<ModelOptions, 'head' | 'stochasticDepth' | 'layerScale'>
  /** Throws RECIPE_INVALID for an option that the family does not have. */
  readonly build: (options: ModelOptions) => Model
}
