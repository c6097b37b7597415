import { callSite } from './caller.ts'
import { bufferBytes, tensorBytes, type Api, type Pointer } from './capi.ts'
import { setEagerAttribute, type EncodedAttribute } from './attribute.ts'
import { dataTypeName, dataTypes, itemSizes, readers, writers } from './dtype.ts'
import { readOpDefinition, type OpDefinition } from './op-definition.ts'
import { TensorflowError, type TensorflowErrorCode } from './errors.ts'

const resourceExhausted = 8

/** A tensor of TensorFlow's eager runtime. Its owner deletes it through `Core.deleteHandle`. */
export type Handle = Pointer

/** The eager context, its error handling, and the count of handles that are alive. */
export class Core {
  readonly api: Api
  readonly context: Pointer
  readonly #status: Pointer
  /** An empty graph: the C API looks up definitions through one. */
  readonly #registry: Pointer
  readonly #definitions = new Map<string, OpDefinition>()
  #liveHandles = 0

  constructor(api: Api, config: Uint8Array) {
    this.api = api
    this.#status = api.TF_NewStatus()
    this.#registry = api.TF_NewGraph()
    const options = api.TFE_NewContextOptions()
    this.call('TENSORFLOW_OP_REFUSED', 'process configuration', (status) =>
      api.TFE_ContextOptionsSetConfig(options, config, config.length, status),
    )
    this.context = this.call('TENSORFLOW_OP_REFUSED', 'eager context', (status) => api.TFE_NewContext(options, status))
    api.TFE_DeleteContextOptions(options)
  }

  get liveHandles(): number {
    return this.#liveHandles
  }

  /** Calls a function that reports through a `TF_Status`; what it reports becomes an error that names `subject` and the caller. */
  call<T>(code: TensorflowErrorCode, subject: string, run: (status: Pointer) => T): T {
    const result = run(this.#status)
    this.check(code, subject, this.#status)
    return result
  }

  check(code: TensorflowErrorCode, subject: string, status: Pointer, where = ''): void {
    const number = this.api.TF_GetCode(status)
    if (number === 0) return
    const message = this.api.TF_Message(status)
    const place = where === '' ? callSite() : where
    const kind = number === resourceExhausted ? 'TENSORFLOW_OUT_OF_MEMORY' : code
    throw new TensorflowError(kind, `${subject}: ${message} (called at ${place})`)
  }

  /** What TensorFlow's registry says about an operation. Throws TENSORFLOW_OP_REFUSED when it has none of this name. */
  definition(name: string): OpDefinition {
    const known = this.#definitions.get(name)
    if (known !== undefined) return known
    const message = bufferBytes(this.api, (buffer) =>
      this.call('TENSORFLOW_OP_REFUSED', name, (status) =>
        this.api.TF_GraphGetOpDef(this.#registry, name, buffer, status),
      ),
    )
    const definition = readOpDefinition(message)
    this.#definitions.set(name, definition)
    return definition
  }

  /** A `TF_Tensor` with a copy of the values; the caller deletes it. */
  newTensor(shape: readonly number[], dtype: number, values: ArrayLike<number>): Pointer {
    const writer = writers[dtype]
    const size = itemSizes[dtype]
    if (writer === undefined || size === undefined) {
      throw new TensorflowError(
        'TENSORFLOW_OP_REFUSED',
        `tensors of ${dataTypeName(dtype)} cannot be made from values (called at ${callSite()})`,
      )
    }
    const count = shape.reduce((product, length) => product * length, 1)
    const source = writer(values)
    if (source.byteLength !== count * size) {
      throw new TensorflowError(
        'TENSORFLOW_OP_REFUSED',
        `${source.byteLength} bytes for shape [${shape.join(', ')}] of ${dataTypeName(dtype)} (called at ${callSite()})`,
      )
    }
    const tensor = this.api.TF_AllocateTensor(dtype, BigInt64Array.from(shape, BigInt), shape.length, count * size)
    tensorBytes(this.api, tensor).set(new Uint8Array(source.buffer, source.byteOffset, source.byteLength))
    return tensor
  }

  newHandle(shape: readonly number[], dtype: number, values: ArrayLike<number>): Handle {
    const tensor = this.newTensor(shape, dtype, values)
    try {
      return this.adopt(
        this.call('TENSORFLOW_OP_REFUSED', 'new tensor', (status) => this.api.TFE_NewTensorHandle(tensor, status)),
      )
    } finally {
      this.api.TF_DeleteTensor(tensor)
    }
  }

  /** Another handle on the same memory. */
  shareHandle(handle: Handle): Handle {
    return this.adopt(
      this.call('TENSORFLOW_OP_REFUSED', 'shared tensor', (status) =>
        this.api.TFE_TensorHandleCopySharingTensor(handle, status),
      ),
    )
  }

  /** Counts a handle that TensorFlow has made. */
  adopt(handle: Handle): Handle {
    this.#liveHandles++
    return handle
  }

  deleteHandle(handle: Handle): void {
    this.#liveHandles--
    this.api.TFE_DeleteTensorHandle(handle)
  }

  shapeOf(handle: Handle): number[] {
    return this.call('TENSORFLOW_OP_REFUSED', 'shape', (status) => {
      const rank = this.api.TFE_TensorHandleNumDims(handle, status)
      return Array.from({ length: Math.max(rank, 0) }, (_, axis) => this.api.TFE_TensorHandleDim(handle, axis, status))
    })
  }

  read(handle: Handle): Float32Array | Int32Array | Uint8Array {
    const dtype = this.api.TFE_TensorHandleDataType(handle)
    const reader = readers[dtype]
    if (reader === undefined)
      throw new TensorflowError(
        'TENSORFLOW_OP_REFUSED',
        `values of ${dataTypeName(dtype)} cannot be read (called at ${callSite()})`,
      )
    const tensor = this.call('TENSORFLOW_OP_REFUSED', 'values', (status) =>
      this.api.TFE_TensorHandleResolve(handle, status),
    )
    try {
      return reader(tensorBytes(this.api, tensor).slice().buffer)
    } finally {
      this.api.TF_DeleteTensor(tensor)
    }
  }

  /** An operation of the eager runtime with its inputs and attributes, ready to be executed once. */
  newOp(name: string, attributes: readonly EncodedAttribute[], inputs: readonly Handle[]): Pointer {
    const op = this.call('TENSORFLOW_OP_REFUSED', name, (status) => this.api.TFE_NewOp(this.context, name, status))
    try {
      this.call('TENSORFLOW_OP_REFUSED', name, (status) => {
        for (const attribute of attributes) setEagerAttribute(this.api, op, status, attribute)
      })
      for (const input of inputs)
        this.call('TENSORFLOW_OP_REFUSED', name, (status) => this.api.TFE_OpAddInput(op, input, status))
      return op
    } catch (error) {
      this.api.TFE_DeleteOp(op)
      throw error
    }
  }

  /** Executes and deletes an operation. */
  execute(op: Pointer, outputs: number, code: TensorflowErrorCode, subject: string): Handle[] {
    const results = new Array<Pointer | null>(outputs).fill(null)
    try {
      this.call(code, subject, (status) => this.api.TFE_Execute(op, results, [outputs], status))
    } finally {
      this.api.TFE_DeleteOp(op)
    }
    return results.map((handle) => this.adopt(handle as Handle))
  }

  /** The same on a thread of libuv's pool; the JavaScript thread stays free. `where` is the place that errors name. */
  async executeAsync(
    op: Pointer,
    outputs: number,
    code: TensorflowErrorCode,
    subject: string,
    where: string,
  ): Promise<Handle[]> {
    const results = new Array<Pointer | null>(outputs).fill(null)
    const status = this.api.TF_NewStatus()
    try {
      await new Promise<void>((resolve, reject) => {
        this.api.TFE_Execute.async(op, results, [outputs], status, (error) =>
          error === null ? resolve() : reject(error),
        )
      })
      this.check(code, subject, status, where)
    } finally {
      this.api.TFE_DeleteOp(op)
      this.api.TF_DeleteStatus(status)
    }
    return results.map((handle) => this.adopt(handle as Handle))
  }

  hasGpu(): boolean {
    const list = this.call('TENSORFLOW_DEVICE_MISSING', 'devices', (status) =>
      this.api.TFE_ContextListDevices(this.context, status),
    )
    const types = this.call('TENSORFLOW_DEVICE_MISSING', 'devices', (status) =>
      Array.from({ length: this.api.TF_DeviceListCount(list) }, (_, index) =>
        this.api.TF_DeviceListType(list, index, status),
      ),
    )
    this.api.TF_DeleteDeviceList(list)
    return types.includes('GPU')
  }
}

export const isResource = (dtype: number): boolean => dtype === dataTypes.resource
