import { expect } from 'vitest'
import type { z } from 'zod'
import * as schemas from '../http/schemas.ts'
import type { RunningService } from './service.ts'

/** Side of the pictures that the model `tiny` sees. */
export const size = 32
/** Values of one channel. */
export const plane = size * size

/** A request: bytes are sent as they are, another body as JSON. */
export type ProtocolRequest = [method: string, path: string, body?: unknown, headers?: Record<string, string>]

/** Asks a service. */
export async function callProtocol(
  service: Pick<RunningService, 'url'>,
  ...[method, path, body, headers = {}]: ProtocolRequest
): Promise<Response> {
  return fetch(`${service.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: body instanceof Uint8Array ? Uint8Array.from(body) : JSON.stringify(body) }),
  })
}

/** The answer, which must fit the schema that the reference gives for it. */
export async function answered<T extends z.ZodType>(response: Response, schema: T): Promise<z.output<T>> {
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const value: unknown = await response.json()
  expect(schema.safeParse(value).error).toBeUndefined()
  expect(response.status).toBe(200)
  return value as z.output<T>
}

/** Status and text of a refusal. */
export async function refused(response: Response): Promise<{ status: number; error: string }> {
  const value = (await response.json()) as { error: string }
  expect(schemas.protocolError.safeParse(value).error).toBeUndefined()
  return { status: response.status, error: value.error }
}

/** Normalised values of a picture of one colour: the mean is 0.5, the deviation 0.25. */
export function pixels(...colours: [number, number, number][]): Float32Array {
  return Float32Array.from(
    colours.flatMap((colour) => colour.flatMap((value) => Array.from({ length: plane }, () => (value - 0.5) / 0.25))),
  )
}

/** The input `pixel_values` with these values, unless `extra` says otherwise. */
export const tensor = (values: Float32Array, extra: object): object => ({
  name: 'pixel_values',
  datatype: 'FP32',
  shape: [values.length / (3 * plane), 3, size, size],
  ...extra,
})

/** A body of JSON with bytes after it. */
export function binaryBody(
  json: object,
  ...parts: Uint8Array[]
): { body: Uint8Array; headers: Record<string, string> } {
  const head = Buffer.from(JSON.stringify(json))
  return {
    body: Buffer.concat([head, ...parts]),
    headers: { 'inference-header-content-length': String(head.length) },
  }
}

/** One element of a binary tensor of type BYTES: its length and its bytes. */
export const element = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([length, bytes])
}
