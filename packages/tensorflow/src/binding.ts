import type { EncodedAttribute } from './attribute.ts'
import { callSite } from './caller.ts'
import type { NodeOutput, NodeTensor } from './capi.ts'
import type { Core, Handle } from './core.ts'
import { dataTypes } from './dtype.ts'
import type { TracedValue } from './mixed-precision.ts'
import type { Trace } from './trace.ts'
import { TensorflowError } from './errors.ts'

/** What `NodeJSKernelBackend` knows of a tensor in TensorFlow. */
export interface TensorMetadata {
  readonly id: number
  readonly shape: number[]
  readonly dtype: number
}

/** An attribute as the kernels of tfjs-node write it. */
interface KernelAttribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

type Entry = { readonly handle: Handle } | { readonly value: TracedValue }

const attributeKinds = {
  TF_ATTR_STRING: 0,
  TF_ATTR_INT: 1,
  TF_ATTR_FLOAT: 2,
  TF_ATTR_BOOL: 3,
  TF_ATTR_TYPE: 4,
  TF_ATTR_SHAPE: 5,
  TF_ATTR_RESOURCE: 6,
} as const

const kindNames: Readonly<Record<number, [single: EncodedAttribute['type'], list: EncodedAttribute['type'] | null]>> = {
  [attributeKinds.TF_ATTR_STRING]: ['string', null],
  [attributeKinds.TF_ATTR_INT]: ['int', 'ints'],
  [attributeKinds.TF_ATTR_FLOAT]: ['float', 'floats'],
  [attributeKinds.TF_ATTR_BOOL]: ['bool', null],
  [attributeKinds.TF_ATTR_TYPE]: ['type', 'types'],
  [attributeKinds.TF_ATTR_SHAPE]: ['shape', 'shape'],
}

/**
 * Takes the place of the native addon of tfjs-node under its kernels. Runs an operation at once, or, while a function
 * is traced, adds it to the trace's graph.
 */
export class Binding {
  readonly TF_FLOAT = dataTypes.float32
  readonly TF_INT32 = dataTypes.int32
  readonly TF_INT64 = dataTypes.int64
  readonly TF_BOOL = dataTypes.bool
  readonly TF_COMPLEX64 = dataTypes.complex64
  readonly TF_STRING = dataTypes.string
  readonly TF_RESOURCE = dataTypes.resource
  readonly TF_UINT8 = dataTypes.uint8
  readonly TF_ATTR_STRING = attributeKinds.TF_ATTR_STRING
  readonly TF_ATTR_INT = attributeKinds.TF_ATTR_INT
  readonly TF_ATTR_FLOAT = attributeKinds.TF_ATTR_FLOAT
  readonly TF_ATTR_BOOL = attributeKinds.TF_ATTR_BOOL
  readonly TF_ATTR_TYPE = attributeKinds.TF_ATTR_TYPE
  readonly TF_ATTR_SHAPE = attributeKinds.TF_ATTR_SHAPE
  readonly TF_ATTR_RESOURCE = attributeKinds.TF_ATTR_RESOURCE
  readonly TF_Version: string

  readonly core: Core
  readonly #gpu: boolean
  readonly #entries = new Map<number, Entry>()
  #nextId = 1
  #trace: Trace | null = null

  constructor(core: Core, version: string, gpu: boolean) {
    this.core = core
    this.TF_Version = version
    this.#gpu = gpu
  }

  /** The trace that operations are added to; null: operations run. */
  get trace(): Trace | null {
    return this.#trace
  }

  /** Runs `body` with operations added to `trace`; afterwards the trace's tensors are gone. */
  tracing<T>(trace: Trace, body: () => T): T {
    if (this.#trace !== null) throw new TensorflowError('TENSORFLOW_DEFECT', 'a trace inside a trace')
    this.#trace = trace
    try {
      return body()
    } finally {
      this.#trace = null
      for (const [id, entry] of this.#entries) if ('value' in entry) this.#entries.delete(id)
    }
  }

  isUsingGpuDevice(): boolean {
    return this.#gpu
  }

  createTensor(shape: number[], dtype: number, values: ArrayLike<number>): number {
    return this.#trace === null
      ? this.add(this.core.newHandle(shape, dtype, values))
      : this.addNode(this.#trace.constant(shape, dtype, values))
  }

  /** A tensor in the eager runtime, also while tracing. */
  createEager(shape: number[], dtype: number, values: ArrayLike<number>): number {
    return this.add(this.core.newHandle(shape, dtype, values))
  }

  deleteTensor(id: number): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined && 'handle' in entry) this.core.deleteHandle(entry.handle)
    this.#entries.delete(id)
  }

  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array {
    const entry = this.#entry(id)
    if (!('handle' in entry)) {
      throw new TensorflowError(
        'TENSORFLOW_VALUE_IN_TRACE',
        `the tensor has no value yet: its function is being traced (read at ${callSite()})`,
      )
    }
    return this.core.read(entry.handle)
  }

  executeOp(
    name: string,
    attributes: readonly KernelAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[] {
    const encoded = attributes.map(({ name, type, value }) => {
      const kinds = kindNames[type]
      const kind = kinds?.[Array.isArray(value) ? 1 : 0]
      if (kind === undefined || kind === null)
        throw new TensorflowError(
          'TENSORFLOW_OP_REFUSED',
          `${name}: attribute of kind ${type} (called at ${callSite()})`,
        )
      return { name, type: kind, value } as EncodedAttribute
    })
    return this.execute(name, encoded, inputs, outputs)
  }

  execute(
    name: string,
    attributes: readonly EncodedAttribute[],
    inputs: readonly number[],
    outputs: number,
    shapes?: readonly (readonly number[] | undefined)[],
  ): TensorMetadata[] {
    const fitted = name === 'Cast' && inputs[0] !== undefined ? this.#withSourceType(attributes, inputs[0]) : attributes
    if (this.#trace !== null) {
      const values = inputs.map((id) => this.#value(id))
      const low = outputs === 1 ? (this.#trace.mixed?.apply(name, fitted, values) ?? null) : null
      if (low !== null) return [this.#describeValue(low)]
      const nodes = values.map((value) => this.#full(value))
      return this.#trace.add(name, fitted, nodes, outputs, shapes).map((node) => this.#describeValue(valueOf(node)))
    }
    const op = this.core.newOp(
      name,
      fitted,
      inputs.map((id) => this.handle(id)),
    )
    return this.core.execute(op, outputs, 'TENSORFLOW_OP_REFUSED', name).map((handle) => this.describe(handle))
  }

  /** The eager tensor of a number. Throws TENSORFLOW_OUTSIDE_TRACE for a tensor of a trace. */
  handle(id: number): Handle {
    const entry = this.#entry(id)
    if (!('handle' in entry))
      throw new TensorflowError('TENSORFLOW_VALUE_IN_TRACE', `the tensor belongs to a trace (used at ${callSite()})`)
    return entry.handle
  }

  /** The node of a number in the current trace; a tensor from outside is captured. */
  output(id: number): NodeOutput {
    return this.#full(this.#value(id))
  }

  dtype(id: number): number {
    const entry = this.#entry(id)
    return 'handle' in entry ? this.core.api.TFE_TensorHandleDataType(entry.handle) : entry.value.dtype
  }

  add(handle: Handle): number {
    const id = this.#nextId++
    this.#entries.set(id, { handle })
    return id
  }

  addNode(node: NodeTensor): number {
    return this.#addValue(valueOf(node))
  }

  /** Numbers a handle and says what it is. */
  describe(handle: Handle): TensorMetadata {
    const dtype = this.core.api.TFE_TensorHandleDataType(handle)
    return { id: this.add(handle), shape: this.core.shapeOf(handle), dtype }
  }

  #addValue(value: TracedValue): number {
    const id = this.#nextId++
    this.#entries.set(id, { value })
    return id
  }

  #describeValue(value: TracedValue): TensorMetadata {
    return { id: this.#addValue(value), shape: value.shape, dtype: value.dtype }
  }

  #value(id: number): TracedValue {
    const entry = this.#entry(id)
    if ('value' in entry) return entry.value
    if (this.#trace === null) throw new TensorflowError('TENSORFLOW_DEFECT', 'no trace')
    return {
      shape: this.core.shapeOf(entry.handle),
      dtype: this.dtype(id),
      full: this.#trace.capture(id, entry.handle),
      low: null,
    }
  }

  #full(value: TracedValue): NodeOutput {
    return value.full ?? (this.#trace as Trace).mixed?.full(value) ?? (value.low as NodeOutput)
  }

  #entry(id: number): Entry {
    const entry = this.#entries.get(id)
    if (entry === undefined)
      throw new TensorflowError(
        'TENSORFLOW_OUTSIDE_TRACE',
        `the tensor was disposed of, or belongs to a trace that is over (used at ${callSite()})`,
      )
    return entry
  }

  /** tfjs takes uint8 for int32; a cast must name the type that the tensor has. */
  #withSourceType(attributes: readonly EncodedAttribute[], input: number): EncodedAttribute[] {
    const source: EncodedAttribute = { name: 'SrcT', type: 'type', value: this.dtype(input) }
    return [...attributes.filter(({ name }) => name !== 'SrcT'), source]
  }
}

const valueOf = ({ output, shape, dtype }: NodeTensor): TracedValue => ({ shape, dtype, full: output, low: null })
