import type { Random } from './random.ts'

/** A request as it goes over the wire. */
export interface HostileRequest {
  readonly kind: string
  readonly method: string
  readonly path: string
  readonly bytes: Buffer
  /** Whether it is all that HTTP asks for: then there must be an answer. Otherwise the connection may just be closed. */
  readonly complete: boolean
  /** It is followed by GET /livez on the same connection, which has to be answered as well. */
  readonly followed?: boolean
}

/** Makes a request from random numbers and images. */
export type Maker = (random: Random, images: readonly Buffer[]) => Omit<HostileRequest, 'kind'>

export const crlf = '\r\n'

/** A request with a right frame: whatever is in its headers and body, it is complete. */
export function framed(
  method: string,
  path: string,
  headers: readonly string[],
  body: Buffer,
): Omit<HostileRequest, 'kind'> {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: x',
    'connection: close',
    ...headers,
    `content-length: ${body.length}`,
  ]
  return {
    method,
    path,
    complete: true,
    bytes: Buffer.concat([Buffer.from(`${lines.join(crlf)}${crlf}${crlf}`, 'latin1'), body]),
  }
}

/** Values with which parsers of numbers, names and paths go wrong. */
export const junk = [
  '',
  '0',
  '-1',
  '1',
  '1.5',
  '1e3',
  '0x10',
  '99999999999999999999',
  'NaN',
  'true',
  'null',
  '%00',
  '%ff',
  '%',
  '[]',
  '..%2f..',
  '__proto__',
  'constructor',
  ' ',
  '\u00e9',
  "'--",
]
