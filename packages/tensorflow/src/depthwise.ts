import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'

/**
 * Depthwise convolution, stride 1, padding SAME, odd square filter; exact, forward and backward.
 *
 * Two things make it fast on a CPU. Taps of the filter that lie on the padding for every pixel (a 7x7 filter on 2x2
 * pixels is a 3x3 one) are left out. And the filter gradient is computed as a forward depthwise convolution, see
 * `mergedFilterGradient`.
 *
 * @param x [N, H, W, C]
 * @param filter [k, k, C, 1]
 */
export function depthwiseConv2d(x: Tensor, filter: Tensor): Tensor {
  return convolve(x, filter)
}

const convolve = tf.customGrad<Tensor>((...args) => {
  const [x, filter, save] = args as unknown as [Tensor4D, Tensor4D, tf.GradSaveFunc]
  const size = filter.shape[0]
  const border = uselessBorder(x, size)
  const used = withoutBorder(filter, border)
  save([x, used])
  const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
    const [x, used] = saved as [Tensor4D, Tensor4D]
    const gradient = size >= smallestMerged ? mergedFilterGradient : filterGradient
    return [inputGradient(dy, used, x.shape), withBorder(gradient(x, dy as Tensor4D, used.shape[0]), border)]
  }
  return { value: tf.depthwiseConv2d(x, used, 1, 'same'), gradFunc }
})

/** oneDNN has a good kernel for the gradient of 3x3 filters; of 5x5 and 7x7 filters the merged form was 1.2 to 5 times faster. */
const smallestMerged = 5

/** Rows and columns at each edge of a filter that only ever meet padding. */
const uselessBorder = (x: Tensor4D, size: number): number =>
  Math.max(0, (size + 1) / 2 - Math.max(x.shape[1], x.shape[2]))

function withoutBorder(filter: Tensor4D, border: number): Tensor4D {
  const used = filter.shape[0] - 2 * border
  return border === 0 ? filter : tf.slice(filter, [border, border, 0, 0], [used, used, -1, -1])
}

function withBorder(gradient: Tensor, border: number): Tensor {
  return border === 0
    ? gradient
    : tf.pad(gradient, [
        [border, border],
        [border, border],
        [0, 0],
        [0, 0],
      ])
}

const attributes = { strides: 1, pad: 'same', dimRoundingMode: null, dilations: 1 }

function inputGradient(dy: Tensor, filter: Tensor, inputShape: number[]): Tensor {
  const named = { ...attributes, inputShape } as unknown as tf.NamedAttrMap
  return tf.engine().runKernel(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter }, named)
}

function filterGradient(x: Tensor4D, dy: Tensor4D, size: number): Tensor {
  const named = { ...attributes, filterShape: [size, size, x.shape[3], 1] } as unknown as tf.NamedAttrMap
  return tf.engine().runKernel(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, named)
}

/**
 * The filter gradient as a forward depthwise convolution of `x` with `dy` as the filter, batch and channels merged, then
 * a sum over the batch. For channels-last data oneDNN has no kernel for this gradient and pads every group of one channel
 * to sixteen.
 */
function mergedFilterGradient(x: Tensor4D, dy: Tensor4D, size: number): Tensor {
  const [n, height, width, channels] = x.shape
  const border = (size - 1) / 2
  const padded = tf.pad(x, [
    [0, 0],
    [border, border],
    [border, border],
    [0, 0],
  ])
  const merged = tf.reshape(tf.transpose(padded, [1, 2, 0, 3]), [
    1,
    height + 2 * border,
    width + 2 * border,
    n * channels,
  ])
  const asFilter = tf.reshape(tf.transpose(dy, [1, 2, 0, 3]), [height, width, n * channels, 1])
  const perSample = tf.depthwiseConv2d(merged as Tensor4D, asFilter as Tensor4D, 1, 'valid')
  return tf.reshape(tf.sum(tf.reshape(perSample, [size, size, n, channels]), 2), [size, size, channels, 1])
}
