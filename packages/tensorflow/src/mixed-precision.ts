import type { EncodedAttribute } from './attribute.ts'
import type { NodeOutput, NodeTensor } from './capi.ts'
import { dataTypes } from './dtype.ts'
import type { Precision } from './precision.ts'

/** Products: their time is arithmetic, and half the bits halve it. */
const products: ReadonlySet<string> = new Set([
  'MatMul',
  'BatchMatMulV2',
  'Conv2D',
  'Conv2DBackpropInput',
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropInput',
])

/** Operations that move values without computing: they take the type they find. */
const movers: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Slice', 'Identity', 'ExpandDims', 'Squeeze'])

const additions: ReadonlySet<string> = new Set(['Add', 'AddV2'])

/** A value in a trace. In mixed precision a float32 exists in the graph as such, in the low type, or as both. */
export interface TracedValue {
  readonly shape: number[]
  /** The type by name; `low` does not change it. */
  readonly dtype: number
  full: NodeOutput | null
  low: NodeOutput | null
}

export type LowPrecision = Exclude<Precision, 'float32'>

type AddNode = (type: string, attributes: readonly EncodedAttribute[], inputs: readonly NodeOutput[]) => NodeTensor

/**
 * Mixed precision decided while tracing: matrix products and convolutions are computed in a type of 16 bits and what they
 * yield stays so until something else needs it; weights are cast once; everything else (normalisation, activation, the
 * residual stream, loss, optimizer) is computed in float32.
 */
export class MixedPrecision {
  readonly #add: AddNode
  readonly #lowType: number
  /** By node and output, since a tensor from outside is looked up anew at each use. */
  readonly #casts = new Map<string, NodeOutput>()

  constructor(low: LowPrecision, add: AddNode) {
    this.#lowType = dataTypes[low]
    this.#add = add
  }

  /** The operation in the low type, or null when it is one for float32. */
  apply(type: string, attributes: readonly EncodedAttribute[], inputs: readonly TracedValue[]): TracedValue | null {
    if (!runsLow(type, inputs)) return null
    const nodes = inputs.map((input) =>
      input.dtype === dataTypes.float32 ? this.#low(input) : (input.full as NodeOutput),
    )
    const { output, shape } = this.#add(
      type,
      attributes.map((attribute) => this.#lowered(attribute)),
      nodes,
    )
    return { shape, dtype: dataTypes.float32, full: null, low: output }
  }

  /** The value in its own type. */
  full(value: TracedValue): NodeOutput {
    value.full ??= this.#cast(value.low as NodeOutput, this.#lowType, dataTypes.float32)
    return value.full
  }

  #low(value: TracedValue): NodeOutput {
    value.low ??= this.#cast(value.full as NodeOutput, dataTypes.float32, this.#lowType)
    return value.low
  }

  #lowered(attribute: EncodedAttribute): EncodedAttribute {
    return attribute.type === 'type' && attribute.value === dataTypes.float32
      ? { ...attribute, value: this.#lowType }
      : attribute
  }

  #cast(from: NodeOutput, source: number, target: number): NodeOutput {
    const key = `${from.oper}:${from.index}`
    const known = this.#casts.get(key)
    if (known !== undefined) return known
    const attributes: EncodedAttribute[] = [
      { name: 'SrcT', type: 'type', value: source },
      { name: 'DstT', type: 'type', value: target },
    ]
    const { output } = this.#add('Cast', attributes, [from])
    this.#casts.set(key, output)
    return output
  }
}

function runsLow(type: string, inputs: readonly TracedValue[]): boolean {
  const [first, second] = inputs
  if (products.has(type)) return inputs.some(({ dtype }) => dtype === dataTypes.float32)
  if (first === undefined || first.low === null || first.full !== null) return false
  if (movers.has(type)) return true
  // TensorFlow fuses a bias with the product before it.
  return additions.has(type) && second?.dtype === dataTypes.float32 && second.shape.length === 1
}
