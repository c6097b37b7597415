import type { FlowersError } from '@flowers/shared/errors'
import type { z } from 'zod'
import { inferRequest } from '../http/schemas.ts'
import { ServiceError } from '../errors.ts'

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
  readonly input: InputTensor
  /** Null: all. */
  readonly outputs: readonly OutputRequest[] | null
  /** How an output is answered that does not say. */
  readonly binaryOutput: boolean
}

/** What a request may hold. */
interface RequestLimits {
  /** Elements of bytes, which are images. */
  readonly images: number
  /** Called with the bytes of a tensor before the body is copied to it; what it throws ends the reading. */
  readonly hold: (bytes: number) => void
}

/**
 * Reads the body of an inference. `jsonBytes` is the number of its bytes that are JSON, null when all are; 0: the body
 * is one image as it is, and the answer is binary. Throws SERVICE_TENSOR, and SERVICE_TOO_LARGE for too many images.
 */
export function readInferRequest(body: Buffer, jsonBytes: number | null, limits: RequestLimits): InferCall {
  if (jsonBytes === 0) return rawImage(body)
  if (jsonBytes !== null && jsonBytes > body.length) {
    throw misfit(`Inference-Header-Content-Length is ${jsonBytes}, the body has ${body.length} bytes.`)
  }
  const parsed = parse(body.subarray(0, jsonBytes ?? body.length))
  const binary = new Reader(body.subarray(jsonBytes ?? body.length))
  const [only, more] = parsed.inputs
  if (!only || more) throw misfit('A request has one input: pixel_values or image.')
  const input = readInput(only, binary, limits)
  if (binary.left > 0) throw misfit(`${binary.left} bytes after the JSON belong to no input.`)
  const binaryOutput = parsed.parameters?.binary_data_output ?? false
  const outputs = parsed.outputs?.map(({ name, parameters }) => ({
    name,
    classification: parameters?.classification ?? 0,
    binary: parameters?.binary_data ?? binaryOutput,
  }))
  return { id: parsed.id, tta: parsed.parameters?.tta, input, outputs: outputs ?? null, binaryOutput }
}

function rawImage(body: Buffer): InferCall {
  const input = { name: 'image', shape: [1], datatype: 'BYTES', data: [body] } as const
  return { id: undefined, tta: undefined, input: { ...input, data: [body] }, outputs: null, binaryOutput: true }
}

/** Bytes that a request holds from when it has been read. */
export function bytesOf({ input }: Pick<InferCall, 'input'>): number {
  // Images may be parts of the body, which stays as a whole.
  const buffers = new Set(input.datatype === 'FP32' ? [input.data.buffer] : input.data.map(({ buffer }) => buffer))
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)
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

function readInput(input: ParsedInput, binary: Reader, { images, hold }: RequestLimits): InputTensor {
  const { name, shape, datatype, data } = input
  const size = input.parameters?.binary_data_size
  if ((size === undefined) === (data === undefined)) {
    throw misfit(`The input ${name} needs data or binary_data_size, and not both.`)
  }
  const bytes = size === undefined ? null : binary.take(size, `The input ${name}`)
  const count = shape.reduce((product, length) => product * length, 1)
  if (datatype === 'FP32') {
    const values = bytes ? binaryNumbers(name, bytes, count, hold) : jsonNumbers(name, data!, count, hold)
    if (!values.every(Number.isFinite)) throw misfit(`The input ${name} has values that are not finite.`)
    return { name, shape, datatype, data: values }
  }
  if (datatype === 'BYTES') {
    // Before any is looked at: an element may be empty, and a body have millions of them.
    if (count > images) throw new ServiceError('SERVICE_TOO_LARGE', `The request has more than ${images} images.`)
    const elements = bytes ? binaryElements(name, bytes, count) : jsonElements(name, data!, count, hold)
    return { name, shape, datatype, data: elements }
  }
  throw misfit(`The input ${name} has the datatype ${datatype}; there are FP32 and BYTES.`)
}

/** Numbers that the threads of the workers see without a copy. */
function shared(count: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * count))
}

function binaryNumbers(name: string, bytes: Buffer, count: number, hold: RequestLimits['hold']): Float32Array {
  expectCount(name, bytes.length / 4, count)
  hold(bytes.length)
  const values = shared(count)
  // Little-endian, as in every machine that this runs on.
  new Uint8Array(values.buffer).set(bytes)
  return values
}

function jsonNumbers(name: string, data: unknown[], count: number, hold: RequestLimits['hold']): Float32Array {
  const flat = flatten(data, count)
  expectCount(name, flat.length, count)
  if (!flat.every((value) => typeof value === 'number')) throw misfit(`The data of ${name} must be numbers.`)
  hold(4 * count)
  const values = shared(count)
  values.set(flat)
  return values
}

/** Each element after its length in 4 bytes, little-endian. */
function binaryElements(name: string, bytes: Buffer, count: number): Buffer[] {
  const reader = new Reader(bytes)
  const elements: Buffer[] = []
  while (reader.left > 0) {
    if (elements.length === count) expectCount(name, count + 1, count)
    const length = reader.take(4, `The length of an element of ${name}`).readUInt32LE()
    elements.push(reader.take(length, `An element of ${name}`))
  }
  expectCount(name, elements.length, count)
  return elements
}

/** Whether a text is base64, padded or not. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = padding === 0 ? text : text.slice(0, -padding)
  if (digits.length % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return false
  // No pattern that repeats a group: of a long text it remembers each turn, and runs out of its stack.
  return !/[^A-Za-z\d+/]/.test(digits)
}

function jsonElements(name: string, data: unknown[], count: number, hold: RequestLimits['hold']): Buffer[] {
  const flat = flatten(data, count)
  expectCount(name, flat.length, count)
  return flat.map((value) => {
    if (typeof value !== 'string' || !isBase64(value)) throw misfit(`The data of ${name} must be base64.`)
    hold(Buffer.byteLength(value, 'base64'))
    return Buffer.from(value, 'base64')
  })
}

/** The values of arrays in arrays, eight deep; no more than one beyond `count`. */
function flatten(data: unknown[], count: number): unknown[] {
  if (!data.some((value) => Array.isArray(value))) return data
  const flat: unknown[] = []
  const add = (values: unknown[], depth: number): void => {
    for (const value of values) {
      if (flat.length > count) return
      if (depth > 0 && Array.isArray(value)) add(value, depth - 1)
      else flat.push(value)
    }
  }
  add(data, 8)
  return flat
}

function expectCount(name: string, given: number, wanted: number): void {
  if (given === wanted) return
  throw misfit(`The shape of ${name} has ${wanted} elements, its data ${given > wanted ? 'more' : given}.`)
}

export function misfit(detail: string, options?: { cause: unknown }): FlowersError {
  return new ServiceError('SERVICE_TENSOR', detail, options)
}
