import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Attribute } from './attribute.ts'
import { bytes } from './bytes.ts'
import { dataTypes } from './dtype.ts'
import { integerField, joinBytes, messageField } from './proto.ts'
import { rawOp } from './raw-op.ts'
import { runtime } from './runtime.ts'
import { text } from './text.ts'

/** RGB bytes, row by row. */
export interface Picture {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
}

// Fields of tensorflow/core/util/event.proto.
const stepField = 2
const sessionLogField = 7
const statusField = 1
const sessionStart = 1

let made = 0

/**
 * Writes an event file of TensorBoard, `events.out.tfevents.*`, with TensorFlow's summary operations. Nothing is sure to
 * be in the file before `flush`. Steps are integers from 0; tags with a slash are grouped by what comes before it.
 * Methods throw TENSORFLOW_OP_REFUSED where the file cannot be written.
 */
export class SummaryWriter {
  readonly #resource: Tensor

  /** Makes the folder where it is missing, and in it a file of this process's own. */
  constructor(folder: string) {
    const name: Attribute = { name: 'shared_name', type: 'string', value: `summary#${made++}` }
    this.#resource = tf.keep(rawOp('SummaryWriter', [name], [], 1)[0] as Tensor)
    this.#run('CreateSummaryFileWriter', [], () => [
      text(folder),
      tf.scalar(queue.events, 'int32'),
      tf.scalar(queue.milliseconds, 'int32'),
      text(`.${process.pid}`),
    ])
  }

  scalar(tag: string, step: number, value: number): void {
    this.#run('WriteScalarSummary', [{ name: 'T', type: 'type', value: 'float32' }], () => [
      int64(step),
      text(tag),
      tf.scalar(value),
    ])
  }

  /** The picture is kept as PNG, and its tag is followed by `/image`. */
  image(tag: string, step: number, { pixels, width, height }: Picture): void {
    const attributes: Attribute[] = [
      { name: 'T', type: 'type', value: 'uint8' },
      { name: 'max_images', type: 'int', value: 1 },
    ]
    this.#run('WriteImageSummary', attributes, () => [
      int64(step),
      text(tag),
      bytes(pixels, [1, height, width, 3]),
      // Shown where a value of floating point is not finite; bytes are all shown as they are.
      bytes(Uint8Array.of(0, 0, 0), [3]),
    ])
  }

  /** Tells readers that a program begins anew at this step: what earlier files of the folder hold from it on is dropped. */
  restart(step: number): void {
    const event = joinBytes(
      integerField(stepField, step),
      messageField(sessionLogField, integerField(statusField, sessionStart)),
    )
    this.#run('ImportEvent', [], () => [text(event)])
  }

  flush(): void {
    this.#run('FlushSummaryWriter', [], () => [])
  }

  close(): void {
    this.#run('CloseSummaryWriter', [], () => [])
    this.#resource.dispose()
  }

  #run(operation: string, attributes: readonly Attribute[], inputs: () => Tensor[]): void {
    tf.tidy(() => rawOp(operation, attributes, [this.#resource, ...inputs()], 0))
  }
}

/** When TensorFlow writes by itself what nobody flushes: its own defaults. */
const queue = { events: 10, milliseconds: 120_000 } as const

/** A scalar of 64 bits, which tfjs does not know; it takes it for int32. */
function int64(value: number): Tensor {
  const { backend, binding } = runtime()
  const id = binding.createTensor([], dataTypes.int64, [value])
  return backend.createOutputTensor({ id, shape: [], dtype: dataTypes.int32 })
}
