import { ranking } from '@flowers/shared/model/calibration'
import type { InferResponse } from '../http/schemas.ts'
import type { OutputRequest } from './request.ts'

/** Values of an output: a row of a value for each class, or one value, for each row or image of the input. */
export interface OutputValues {
  readonly shape: readonly [rows: number, classes?: number]
  readonly values: Float32Array
}

/** An answer: JSON, and the bytes that follow it. `jsonBytes` is null when it has no binary output. */
export interface InferAnswer {
  readonly body: Buffer
  readonly jsonBytes: number | null
}

type Output = InferResponse['outputs'][number]

/** Puts the outputs that are asked for together, as JSON or as binary tensors after the JSON. */
export function writeInferResponse(
  head: Omit<InferResponse, 'outputs'>,
  outputs: readonly { readonly request: OutputRequest; readonly result: OutputValues }[],
  labels: readonly string[],
): InferAnswer {
  const chunks: Buffer[] = []
  const described = outputs.map(({ request, result }): Output => {
    const { name, classification } = request
    const output = classification > 0 ? classify(name, result, classification, labels) : tensor(name, result)
    if (!request.binary) return { ...output.head, data: output.data }
    const bytes = output.bytes()
    chunks.push(bytes)
    return { ...output.head, parameters: { binary_data_size: bytes.length } }
  })
  const json = Buffer.from(JSON.stringify({ ...head, outputs: described }))
  return outputs.some(({ request }) => request.binary)
    ? { body: Buffer.concat([json, ...chunks]), jsonBytes: json.length }
    : { body: json, jsonBytes: null }
}

interface Encoded {
  readonly head: Pick<Output, 'name' | 'datatype' | 'shape'>
  readonly data: (number | string)[]
  readonly bytes: () => Buffer
}

function tensor(name: string, { shape, values }: OutputValues): Encoded {
  return {
    head: { name, datatype: 'FP32', shape: shape.filter((length) => length !== undefined) },
    data: [...values],
    bytes: () => Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  }
}

/** The extension of Triton for classification: for each row the best classes as `value:index:label`. */
function classify(
  name: string,
  { shape: [rows, classes = 1], values }: OutputValues,
  best: number,
  labels: readonly string[],
): Encoded {
  const count = Math.min(best, classes)
  const data = Array.from({ length: rows }, (_, row) => {
    const line = values.subarray(row * classes, (row + 1) * classes)
    return ranking(line)
      .slice(0, count)
      .map((index) => `${line[index]!.toFixed(6)}:${index}:${labels[index]!}`)
  }).flat()
  return {
    head: { name, datatype: 'BYTES', shape: [rows, count] },
    data,
    bytes: () => Buffer.concat(data.flatMap(element)),
  }
}

/** The bytes of a text after their number. */
function element(text: string): Buffer[] {
  const length = Buffer.alloc(4)
  const bytes = Buffer.from(text)
  length.writeUInt32LE(bytes.length)
  return [length, bytes]
}
