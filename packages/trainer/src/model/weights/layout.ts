import type { ParameterKind, ParameterSpec } from '../architecture.ts'

/**
 * PyTorch's layouts are TensorFlow's with three groups of axes in reverse order: OIHW is [O, I, HW] and HWIO is
 * [HW, I, O]; depthwise [C, 1, HW] and [HW, 1, C]; linear [out, in, 1] and [1, in, out].
 */
interface Layout {
  readonly pytorchShape: (shape: readonly number[]) => number[]
  /** TensorFlow's shape as [outer, middle, inner], or undefined where the layouts are the same. */
  readonly groups: (shape: readonly number[]) => [number, number, number] | undefined
}

const at = (shape: readonly number[], index: number): number => shape[index] ?? 1

const layouts: Readonly<Record<ParameterKind, Layout>> = {
  convolution: {
    pytorchShape: (s) => [at(s, 3), at(s, 2), at(s, 0), at(s, 1)],
    groups: (s) => [at(s, 0) * at(s, 1), at(s, 2), at(s, 3)],
  },
  depthwise: {
    pytorchShape: (s) => [at(s, 2), 1, at(s, 0), at(s, 1)],
    groups: (s) => [at(s, 0) * at(s, 1), 1, at(s, 2)],
  },
  linear: { pytorchShape: (s) => [at(s, 1), at(s, 0)], groups: (s) => [1, at(s, 0), at(s, 1)] },
  pointwise: { pytorchShape: (s) => [at(s, 1), at(s, 0), 1, 1], groups: (s) => [1, at(s, 0), at(s, 1)] },
  vector: { pytorchShape: (s) => [...s], groups: () => undefined },
}

type Spec = Pick<ParameterSpec, 'kind' | 'shape'>

/** Shape of a parameter in timm's checkpoint. */
export function pytorchShape({ kind, shape }: Spec): number[] {
  return layouts[kind].pytorchShape(shape)
}

/** TensorFlow's values of a parameter in timm's layout and shape. Always a copy. */
export function toPytorchLayout(spec: Spec, values: Float32Array): { shape: number[]; data: Float32Array } {
  const groups = layouts[spec.kind].groups(spec.shape)
  return { shape: pytorchShape(spec), data: groups ? reverseAxes(values, groups) : values.slice() }
}

/** The inverse of {@link toPytorchLayout}. Always a copy. */
export function toTensorflowLayout({ kind, shape }: Spec, values: Float32Array): Float32Array {
  const groups = layouts[kind].groups(shape)
  return groups ? reverseAxes(values, [groups[2], groups[1], groups[0]]) : values.slice()
}

/** `values` [a, b, c] as [c, b, a]. */
function reverseAxes(values: Float32Array, [a, b, c]: [number, number, number]): Float32Array {
  const reversed = new Float32Array(values.length)
  let source = 0
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) reversed[(k * b + j) * a + i] = values[source++] ?? 0
    }
  }
  return reversed
}
