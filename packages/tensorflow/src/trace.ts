import { listLengths, setNodeAttribute, type EncodedAttribute } from './attribute.ts'
import { callSite } from './caller.ts'
import { bufferBytes, type NodeOutput, type NodeTensor, type Pointer } from './capi.ts'
import { isResource, type Core, type Handle } from './core.ts'
import { valueBytes } from './dtype.ts'
import { EffectOrder } from './effects.ts'
import { MixedPrecision, type LowPrecision } from './mixed-precision.ts'
import { splitInputs } from './op-definition.ts'
import { TensorflowError } from './errors.ts'

/** Operations that only look at a resource. */
const readers: ReadonlySet<string> = new Set([
  'ReadVariableOp',
  'ResourceGather',
  'ResourceGatherNd',
  'VariableShape',
  'VarIsInitializedOp',
])

/** Stateful by definition, without an effect that could be lost or reordered. */
const harmless: ReadonlySet<string> = new Set(['VarHandleOp', 'Placeholder'])

/** Key of the order among operations that are stateful but name no resource, such as Print and Assert. */
const world = Symbol('world')

export interface Capture {
  /** The trace's own handle, so that the tensor outlives its owner outside. */
  readonly handle: Handle
  readonly output: NodeOutput
}

/**
 * A `TF_Graph` that grows while a function is traced.
 *
 * `function`: tensors from outside become inputs. `freeze`: they become constants.
 */
export class Trace {
  readonly mode: 'function' | 'freeze'
  readonly graph: Pointer
  /** Tensors from outside, by the number of their owner. */
  readonly captures = new Map<number, Capture>()
  /** Null: everything is computed in the type that it has. */
  readonly mixed: MixedPrecision | null
  readonly #core: Core
  readonly #effects = new EffectOrder<Pointer>()
  #nodes = 0
  #outputBytes = 0

  constructor(core: Core, mode: 'function' | 'freeze', low: LowPrecision | null = null) {
    this.#core = core
    this.mode = mode
    this.mixed =
      low === null
        ? null
        : new MixedPrecision(low, (type, attributes, inputs) => this.add(type, attributes, inputs, 1)[0] as NodeTensor)
    this.graph = core.api.TF_NewGraph()
  }

  /** Bytes of all results of all operations: more than a run can hold at once, as most are freed before the end. */
  get outputBytes(): number {
    return this.#outputBytes
  }

  /** Adds an operation. `shapes` refine what TensorFlow infers of the outputs. */
  add(
    type: string,
    attributes: readonly EncodedAttribute[],
    inputs: readonly NodeOutput[],
    outputs: number,
    shapes: readonly (readonly number[] | undefined)[] = [],
    name?: string,
  ): NodeTensor[] {
    const { api } = this.#core
    const definition = this.#core.definition(type)
    const node = api.TF_NewOperation(this.graph, type, name ?? `${type}_${this.#nodes}`)
    this.#nodes++
    for (const attribute of attributes) setNodeAttribute(api, node, attribute)
    const resources = inputs.filter((input) => isResource(api.TF_OperationOutputType(input))).map(({ oper }) => oper)
    const touched = resources.length > 0 ? resources : definition.stateful && !harmless.has(type) ? [world] : []
    const access = readers.has(type) ? 'read' : 'write'
    let next = 0
    const lengths = splitInputs(definition.inputs, inputs.length, listLengths(attributes))
    definition.inputs.forEach(({ listAttribute }, argument) => {
      const members = inputs.slice(next, next + (lengths[argument] as number))
      next += members.length
      if (listAttribute !== null) api.TF_AddInputList(node, members, members.length)
      else if (members[0] !== undefined) api.TF_AddInput(node, members[0])
    })
    for (const surplus of inputs.slice(next)) api.TF_AddInput(node, surplus)
    for (const earlier of this.#effects.before(touched, access)) api.TF_AddControlInput(node, earlier)
    const operation = this.#core.call('TENSORFLOW_OP_REFUSED', type, (status) => api.TF_FinishOperation(node, status))
    this.#effects.record(touched, access, operation)
    return Array.from({ length: outputs }, (_, index) =>
      this.#describe(type, { oper: operation, index }, shapes[index]),
    )
  }

  placeholder(shape: readonly number[], dtype: number, name?: string): NodeTensor {
    const attributes: EncodedAttribute[] = [
      { name: 'dtype', type: 'type', value: dtype },
      { name: 'shape', type: 'shape', value: shape },
    ]
    return this.add('Placeholder', attributes, [], 1, [], name)[0] as NodeTensor
  }

  constant(shape: readonly number[], dtype: number, values: ArrayLike<number>): NodeTensor {
    const tensor = this.#core.newTensor(shape, dtype, values)
    try {
      return this.#constantOf(tensor, dtype)
    } finally {
      this.#core.api.TF_DeleteTensor(tensor)
    }
  }

  /** The node that stands for a tensor from outside. */
  capture(owner: number, handle: Handle): NodeOutput {
    const known = this.captures.get(owner)
    if (known !== undefined) return known.output
    const output = this.mode === 'freeze' ? this.#freezeHandle(handle) : this.#inputFor(handle)
    this.captures.set(owner, { handle: this.#core.shareHandle(handle), output })
    return output
  }

  /** The trace as a function of `inputs` and the captures, added to the context. */
  toFunction(name: string, inputs: readonly NodeOutput[], results: readonly NodeOutput[], xla: boolean): void {
    const core = this.#core
    const { api } = core
    const outputs = results.map((result) => (this.add('Identity', [], [result], 1)[0] as NodeTensor).output)
    const all = [...inputs, ...[...this.captures.values()].map(({ output }) => output)]
    const controls = this.#effects.final()
    const made = core.call('TENSORFLOW_OP_REFUSED', name, (status) =>
      api.TF_GraphToFunctionWithControlOutputs(
        this.graph,
        name,
        0,
        -1,
        null,
        all.length,
        all,
        outputs.length,
        outputs,
        null,
        controls.length,
        controls,
        null,
        null,
        null,
        status,
      ),
    )
    try {
      if (xla) {
        const attributeTrue = Uint8Array.of(0x28, 1)
        core.call('TENSORFLOW_OP_REFUSED', name, (status) =>
          api.TF_FunctionSetAttrValueProto(made, '_XlaMustCompile', attributeTrue, attributeTrue.length, status),
        )
      }
      core.call('TENSORFLOW_OP_REFUSED', name, (status) => api.TFE_ContextAddFunction(core.context, made, status))
    } finally {
      api.TF_DeleteFunction(made)
    }
  }

  toGraphDef(): Uint8Array {
    return bufferBytes(this.#core.api, (buffer) =>
      this.#core.call('TENSORFLOW_OP_REFUSED', 'graph', (status) =>
        this.#core.api.TF_GraphToGraphDef(this.graph, buffer, status),
      ),
    )
  }

  releaseCaptures(): void {
    for (const { handle } of this.captures.values()) this.#core.deleteHandle(handle)
    this.captures.clear()
  }

  deleteGraph(): void {
    this.#core.api.TF_DeleteGraph(this.graph)
  }

  #inputFor(handle: Handle): NodeOutput {
    return this.placeholder(this.#core.shapeOf(handle), this.#core.api.TFE_TensorHandleDataType(handle)).output
  }

  #freezeHandle(handle: Handle): NodeOutput {
    const { api } = this.#core
    const dtype = api.TFE_TensorHandleDataType(handle)
    const tensor = this.#core.call('TENSORFLOW_OP_REFUSED', 'frozen tensor', (status) =>
      api.TFE_TensorHandleResolve(handle, status),
    )
    try {
      return this.#constantOf(tensor, dtype).output
    } finally {
      api.TF_DeleteTensor(tensor)
    }
  }

  #constantOf(tensor: Pointer, dtype: number): NodeTensor {
    const { api } = this.#core
    const node = api.TF_NewOperation(this.graph, 'Const', `Const_${this.#nodes++}`)
    this.#core.call('TENSORFLOW_OP_REFUSED', 'Const', (status) => api.TF_SetAttrTensor(node, 'value', tensor, status))
    api.TF_SetAttrType(node, 'dtype', dtype)
    const operation = this.#core.call('TENSORFLOW_OP_REFUSED', 'Const', (status) =>
      api.TF_FinishOperation(node, status),
    )
    return this.#describe('Const', { oper: operation, index: 0 }, undefined)
  }

  #describe(type: string, output: NodeOutput, declared: readonly number[] | undefined): NodeTensor {
    const { api } = this.#core
    const dtype = api.TF_OperationOutputType(output)
    if (declared !== undefined) {
      const dims = BigInt64Array.from(declared, BigInt)
      this.#core.call('TENSORFLOW_OP_REFUSED', type, (status) =>
        api.TF_GraphSetTensorShape(this.graph, output, dims, dims.length, status),
      )
    }
    const rank = this.#core.call('TENSORFLOW_OP_REFUSED', type, (status) =>
      api.TF_GraphGetTensorNumDims(this.graph, output, status),
    )
    const dims = new BigInt64Array(Math.max(rank, 0))
    if (rank > 0)
      this.#core.call('TENSORFLOW_OP_REFUSED', type, (status) =>
        api.TF_GraphGetTensorShape(this.graph, output, dims, rank, status),
      )
    if (!isResource(dtype) && (rank < 0 || dims.some((length) => length < 0n))) {
      const shape =
        rank < 0 ? 'of unknown rank' : `[${[...dims].map((length) => (length < 0n ? '?' : String(length))).join(', ')}]`
      throw new TensorflowError(
        'TENSORFLOW_UNKNOWN_SHAPE',
        `${type}: the shape of its result depends on values: ${shape} (called at ${callSite()})`,
      )
    }
    const shape = Array.from(dims, Number)
    this.#outputBytes += shape.reduce((product, length) => product * length, valueBytes(dtype))
    return { output, shape, dtype }
  }
}
