import { FlowersError } from '@flowers/shared/errors'
import type { z } from 'zod'
import { inferRequest } from '../schemas.ts'

/**
 * Requests of the Open Inference Protocol v2, with the extension of Triton for binary tensors: JSON of the length in
 * `Inference-Header-Content-Length`, then the bytes of each input that has `binary_data_size`, in order.
 */
type Parsed = z.output<typeof inferRequest>
type ParsedInput = Parsed['inputs'][number]

/** A tensor that was sent: numbers in shared memory, or elements of bytes. */
export type InputTensor =
  | { readonly name: string; readonly shape: readonly number[]; readonly datatype: 'FP32'; readonly data: Float32Array }
  | { readonly name: string; readonly shape: readonly number[]; readonly datatype: 'BYTES'; readonly data: Buffer[] }

/** An output that is asked for. */
export interface OutputRequest {
  readonly name: string
  /** The best so many classes as text instead of the tensor; 0: the tensor. */
  readonly classification: number
  readonly binary: boolean
}

export interface InferCall {
  readonly id: string | undefined
  readonly tta: NonNullable<Parsed['parameters']>['tta']
  readonly inputs: readonly InputTensor[]
  /** Null: all. */
  readonly outputs: readonly OutputRequest[] | null
  /** How an output is answered that does not say. */
  readonly binaryOutput: boolean
}

/**
 * Reads the body of an inference. `jsonBytes` is the number of its bytes that are JSON, null when all are; 0: the body
 * is one image as it is, and the answer is binary. Throws SERVICE_TENSOR.
 */
export function readInferRequest(body: Buffer, jsonBytes: number | null): InferCall {
  if (jsonBytes === 0) return rawImage(body)
  if (jsonBytes !== null && jsonBytes > body.length) {
    throw misfit(`Inference-Header-Content-Length is ${jsonBytes}, the body has ${body.length} bytes.`)
  }
  const parsed = parse(body.subarray(0, jsonBytes ?? body.length))
  const binary = new Reader(body.subarray(jsonBytes ?? body.length))
  const inputs = parsed.inputs.map((input) => readInput(input, binary))
  if (binary.left > 0) throw misfit(`${binary.left} bytes after the JSON belong to no input.`)
  const binaryOutput = parsed.parameters?.binary_data_output ?? false
  const outputs = parsed.outputs?.map(({ name, parameters }) => ({
    name,
    classification: parameters?.classification ?? 0,
    binary: parameters?.binary_data ?? binaryOutput,
  }))
  return { id: parsed.id, tta: parsed.parameters?.tta, inputs, outputs: outputs ?? null, binaryOutput }
}

function rawImage(body: Buffer): InferCall {
  const input = { name: 'image', shape: [1], datatype: 'BYTES', data: [body] } as const
  return { id: undefined, tta: undefined, inputs: [{ ...input, data: [body] }], outputs: null, binaryOutput: true }
}

function parse(json: Buffer): Parsed {
  let value: unknown
  try {
    value = JSON.parse(json.toString('utf8'))
  } catch (error) {
    throw misfit(`The body is not JSON: ${(error as Error).message}.`, { cause: error })
  }
  const parsed = inferRequest.safeParse(value)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw misfit(`${path.join('.') || 'The body'}: ${message}.`)
}

/** The bytes after the JSON, from front to back. */
class Reader {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#position
  }

  take(count: number, what: string): Buffer {
    if (count > this.left) throw misfit(`${what} has ${count} bytes, of which ${this.left} were sent.`)
    this.#position += count
    return this.#bytes.subarray(this.#position - count, this.#position)
  }
}

function readInput(input: ParsedInput, binary: Reader): InputTensor {
  const { name, shape, datatype, data } = input
  const size = input.parameters?.binary_data_size
  if ((size === undefined) === (data === undefined)) {
    throw misfit(`The input ${name} needs data or binary_data_size, and not both.`)
  }
  const bytes = size === undefined ? null : binary.take(size, `The input ${name}`)
  const count = shape.reduce((product, length) => product * length, 1)
  if (datatype === 'FP32') {
    const values = bytes ? binaryNumbers(name, bytes, count) : jsonNumbers(name, data!, count)
    if (!values.every(Number.isFinite)) throw misfit(`The input ${name} has values that are not finite.`)
    return { name, shape, datatype, data: values }
  }
  if (datatype === 'BYTES') {
    return {
      name,
      shape,
      datatype,
      data: bytes ? binaryElements(name, bytes, count) : jsonElements(name, data!, count),
    }
  }
  throw misfit(`The input ${name} has the datatype ${datatype}; there are FP32 and BYTES.`)
}

/** Numbers that the threads of the workers see without a copy. */
function shared(count: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * count))
}

function binaryNumbers(name: string, bytes: Buffer, count: number): Float32Array {
  expectCount(name, bytes.length / 4, count)
  const values = shared(count)
  // Little-endian, as in every machine that this runs on.
  new Uint8Array(values.buffer).set(bytes)
  return values
}

function jsonNumbers(name: string, data: unknown[], count: number): Float32Array {
  const flat = flatten(data)
  expectCount(name, flat.length, count)
  if (!flat.every((value) => typeof value === 'number')) throw misfit(`The data of ${name} must be numbers.`)
  const values = shared(count)
  values.set(flat)
  return values
}

/** Each element after its length in 4 bytes, little-endian. */
function binaryElements(name: string, bytes: Buffer, count: number): Buffer[] {
  const reader = new Reader(bytes)
  const elements: Buffer[] = []
  while (reader.left > 0) {
    const length = reader.take(4, `The length of an element of ${name}`).readUInt32LE()
    elements.push(reader.take(length, `An element of ${name}`))
  }
  expectCount(name, elements.length, count)
  return elements
}

const base64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}(?:==)?|[A-Za-z\d+/]{3}=?)?$/

function jsonElements(name: string, data: unknown[], count: number): Buffer[] {
  const flat = flatten(data)
  expectCount(name, flat.length, count)
  return flat.map((value) => {
    if (typeof value !== 'string' || !base64.test(value)) throw misfit(`The data of ${name} must be base64.`)
    return Buffer.from(value, 'base64')
  })
}

function flatten(data: unknown[]): unknown[] {
  return data.some((value) => Array.isArray(value)) ? data.flat<unknown[], 8>(8) : data
}

function expectCount(name: string, given: number, wanted: number): void {
  if (given !== wanted) throw misfit(`The shape of ${name} has ${wanted} elements, its data ${given}.`)
}

export function misfit(detail: string, options?: { cause: unknown }): FlowersError {
  return new FlowersError('SERVICE_TENSOR', detail, options)
}
