import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Handle } from './core.ts'
import { dataTypes } from './dtype.ts'
import { rawOp } from './raw-op.ts'
import { runtime } from './runtime.ts'
import { TensorflowError } from './errors.ts'

export interface VariableInit {
  readonly shape: number[]
  readonly dtype: 'float32' | 'int32'
  /** Values in row-major order; zeros when absent. */
  readonly data?: Float32Array | Int32Array
}

let made = 0

/**
 * A TensorFlow resource variable, updated in place. Inside a trace, reads and writes keep the order of the program, and
 * writes happen even when no output depends on them.
 */
export class Variable {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32'
  #resource: Tensor | null

  constructor(name: string, init: VariableInit) {
    this.name = name
    this.shape = [...init.shape]
    this.dtype = init.dtype
    const { core, backend, binding } = runtime()
    const op = core.newOp(
      'VarHandleOp',
      [
        { name: 'dtype', type: 'type', value: dataTypes[init.dtype] },
        { name: 'shape', type: 'shape', value: init.shape },
        { name: 'shared_name', type: 'string', value: `${name}#${made++}` },
      ],
      [],
    )
    const handle = core.execute(op, 1, 'TENSORFLOW_OP_REFUSED', `variable ${name}`)[0] as Handle
    this.#resource = tf.keep(backend.createOutputTensor(binding.describe(handle)))
    if (init.data) this.load(init.data)
    else this.clear()
  }

  /** The resource itself, an input for `rawOp`. The variable disposes of it. */
  handle(): Tensor {
    if (this.#resource === null) throw new TensorflowError('TENSORFLOW_DISPOSED', `variable ${this.name}`)
    return this.#resource
  }

  /** The value at this point of the program. When freezing, the value it has now, as a constant. */
  read(): Tensor {
    const { binding } = runtime()
    if (binding.trace?.mode === 'freeze') return tf.tensor(this.#readValues(), [...this.shape], this.dtype)
    return rawOp('ReadVariableOp', [{ name: 'dtype', type: 'type', value: this.dtype }], [this.handle()], 1, [
      this.shape,
    ])[0] as Tensor
  }

  assign(value: Tensor): void {
    this.#write('AssignVariableOp', value)
  }

  assignAdd(value: Tensor): void {
    this.#write('AssignAddVariableOp', value)
  }

  assignSub(value: Tensor): void {
    this.#write('AssignSubVariableOp', value)
  }

  /** A copy of the values, after every step that is under way or waiting. */
  async data(): Promise<Float32Array | Int32Array> {
    await runtime().queue.idle()
    return this.#readValues()
  }

  /** Sets the values at once; not meant for while a step is under way. */
  load(values: Float32Array | Int32Array): void {
    if (values.length !== this.#count()) {
      throw new TensorflowError(
        'TENSORFLOW_OP_REFUSED',
        `variable ${this.name} has shape [${this.shape.join(', ')}] and was given ${values.length} values`,
      )
    }
    const { core } = runtime()
    const value = core.newHandle(this.shape, dataTypes[this.dtype], values)
    try {
      const op = core.newOp('AssignVariableOp', [this.#typeAttribute()], [this.#eagerHandle(), value])
      core.execute(op, 0, 'TENSORFLOW_OP_REFUSED', `variable ${this.name}`)
    } finally {
      core.deleteHandle(value)
    }
  }

  /** Sets the values to zero, as `load` does. */
  clear(): void {
    this.load(this.dtype === 'float32' ? new Float32Array(this.#count()) : new Int32Array(this.#count()))
  }

  /** Frees the values, after the steps that are under way. Functions that use the variable fail from then on. */
  dispose(): void {
    const resource = this.#resource
    if (resource === null) return
    const { core, queue } = runtime()
    const handle = this.#eagerHandle()
    this.#resource = null
    queue.afterwards(() => {
      core.execute(core.newOp('DestroyResourceOp', [], [handle]), 0, 'TENSORFLOW_OP_REFUSED', `variable ${this.name}`)
      resource.dispose()
    })
  }

  #write(operation: string, value: Tensor): void {
    if (!tf.util.arraysEqual(value.shape, [...this.shape])) {
      throw new TensorflowError(
        'TENSORFLOW_OP_REFUSED',
        `${operation}: variable ${this.name} has shape [${this.shape.join(', ')}], the value [${value.shape.join(', ')}]`,
      )
    }
    rawOp(operation, [{ name: 'dtype', type: 'type', value: this.dtype }], [this.handle(), value], 0)
  }

  #readValues(): Float32Array | Int32Array {
    const { core } = runtime()
    const op = core.newOp('ReadVariableOp', [this.#typeAttribute()], [this.#eagerHandle()])
    const handle = core.execute(op, 1, 'TENSORFLOW_OP_REFUSED', `variable ${this.name}`)[0] as Handle
    try {
      return core.read(handle) as Float32Array | Int32Array
    } finally {
      core.deleteHandle(handle)
    }
  }

  #eagerHandle(): Handle {
    const { backend, binding } = runtime()
    return binding.handle(backend.tensorMap.get(this.handle().dataId).id)
  }

  #typeAttribute() {
    return { name: 'dtype', type: 'type', value: dataTypes[this.dtype] } as const
  }

  #count(): number {
    return this.shape.reduce((product, length) => product * length, 1)
  }
}
