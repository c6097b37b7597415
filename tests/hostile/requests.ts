import { gzipSync } from 'node:zlib'
import { inputs } from '../image-contract-inputs.ts'
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

type Maker = (random: Random, images: readonly Buffer[]) => Omit<HostileRequest, 'kind'>

/** Images of every format, whole and broken, small enough to be sent often. */
export async function seedImages(): Promise<Buffer[]> {
  const all = await Promise.all(Object.values(inputs).map(async (make) => Buffer.from((await make()).bytes)))
  return all.filter(({ length }) => length > 0 && length < 20_000)
}

/** Changes some of the bytes: bits, words, ranges cut out, doubled or taken from another image. */
function mutate(random: Random, image: Buffer, others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(image)
  for (let count = 1 + random.below(4); count > 0 && bytes.length > 0; count--) {
    const at = random.below(bytes.length)
    const end = Math.min(bytes.length, at + 1 + random.below(64))
    const change = random.pick<() => Buffer>([
      () =>
        Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([bytes[at]! ^ (1 << random.below(8))]),
          bytes.subarray(at + 1),
        ]),
      () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]),
      () => Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]),
      () => Buffer.concat([bytes.subarray(0, at), random.bytes(end - at), bytes.subarray(end)]),
      () => Buffer.concat([bytes.subarray(0, at), word(random), bytes.subarray(Math.min(bytes.length, at + 4))]),
      () => bytes.subarray(0, at),
      () => {
        const other = random.pick(others)
        return Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length))])
      },
    ])
    bytes = change()
  }
  return bytes
}

/** Numbers at which lengths and counts go wrong. */
function word(random: Random): Buffer {
  const bytes = Buffer.alloc(4)
  const number = random.pick([0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff])
  if (random.chance(0.5)) bytes.writeUInt32BE(number)
  else bytes.writeUInt32LE(number)
  return bytes
}

/** A request with a right frame: whatever is in its headers and body, it is complete. */
function framed(method: string, path: string, headers: readonly string[], body: Buffer): Omit<HostileRequest, 'kind'> {
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
    bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]),
  }
}

function someImage(random: Random, images: readonly Buffer[]): Buffer {
  if (random.chance(0.1)) return random.bytes(random.below(2000))
  const image = random.pick(images)
  return random.chance(0.15) ? image : mutate(random, image, images)
}

const junk = [
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

function query(random: Random): string {
  const names = [
    'model',
    'tta',
    'top_k',
    'allow_step_down',
    'details',
    'label',
    '__proto__',
    'x',
    '',
    'model[]',
    'model[a]',
  ]
  const values = [...junk, 'tiny', 'slow', 'full', 'exact', 'none', 'false', '5', 'red']
  const pairs = Array.from(
    { length: random.below(4) },
    () => `${random.pick(names)}${random.pick(['=', '=', ''])}${encodeURI(random.pick(values))}`,
  )
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

const asks = ['/classify', '/explain']
const crlf = '\r\n'

function parts(random: Random, images: readonly Buffer[]): { boundary: string; body: Buffer } {
  // A third of them get past the parser to the images.
  if (random.chance(0.3)) {
    const head = '--x\r\ncontent-disposition: form-data; name="img"; filename="a"\r\n\r\n'
    const files = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => [
      Buffer.from(head),
      someImage(random, images),
      Buffer.from(crlf),
    ])
    return { boundary: 'x', body: Buffer.concat([...files.flat(), Buffer.from('--x--\r\n')]) }
  }
  const boundary = random.pick(['x', 'a'.repeat(70), '----', '"', 'b b'])
  const name = random.pick(['img', 'img', 'img', 'file', '', 'n'.repeat(5000), '__proto__'])
  const count = random.pick([0, 1, 1, 2, 3, 40, 3000])
  const chunks: Buffer[] = []
  for (let index = 0; index < count; index++) {
    const file = random.chance(0.9)
      ? `; filename="${random.pick(['a', '', '../../etc/passwd', 'n'.repeat(2000), '\u00e9"'])}"`
      : ''
    const extra = random.pick([
      '',
      '',
      'content-type: image/png\r\n',
      'content-transfer-encoding: base64\r\n',
      `x: ${'y'.repeat(3000)}\r\n`,
      ': \r\n',
    ])
    const head = `--${boundary}${crlf}${random.pick(['content-disposition', 'Content-Disposition', 'x'])}: ${random.pick(['form-data', 'form-data', 'attachment'])}; name="${name}"${file}${crlf}${extra}${crlf}`
    const inner = random.chance(0.05) ? `--${boundary}${crlf}` : ''
    chunks.push(
      Buffer.from(head + inner, 'latin1'),
      count > 40 ? Buffer.alloc(1) : someImage(random, images),
      Buffer.from(crlf),
    )
  }
  const end = random.pick([`--${boundary}--${crlf}`, `--${boundary}--${crlf}`, `--${boundary}`, '', '--'])
  const body = Buffer.concat([...chunks, Buffer.from(end, 'latin1')])
  return { boundary, body: random.chance(0.15) ? mutate(random, body, images) : body }
}

function tensorJson(random: Random, images: readonly Buffer[]): string {
  // Half of them get past the schema to the images.
  if (random.chance(0.5)) {
    const data = Array.from({ length: random.pick([1, 1, 2, 17]) }, () => someImage(random, images).toString('base64'))
    return JSON.stringify({ inputs: [{ name: 'image', datatype: 'BYTES', shape: [data.length], data }] })
  }
  const numbers = [0, -1, 1, 2 ** 31, 2 ** 53, 1e308, 3072, 0.5]
  const value = (): unknown =>
    random.pick<unknown>([
      ...numbers,
      ...junk,
      null,
      true,
      [],
      {},
      [[1], [2]],
      someImage(random, images).toString('base64'),
    ])
  const input = {
    name: random.pick<unknown>(['image', 'pixel_values', '', 'constructor', null, 1]),
    datatype: random.pick<unknown>(['BYTES', 'FP32', 'INT8', '', null]),
    shape: random.pick<unknown>([
      [1],
      [1, 1],
      [1, 3, 32, 32],
      [0],
      [-1],
      [2 ** 31, 2 ** 31],
      Array(20).fill(1),
      'x',
      value(),
    ]),
    data: random.pick<unknown>([
      undefined,
      [someImage(random, images).toString('base64')],
      [value()],
      value(),
      Array(3072).fill(0.1),
    ]),
    parameters: random.pick<unknown>([
      undefined,
      undefined,
      { binary_data_size: random.pick(numbers) },
      { binary_data_size: 'x' },
      value(),
    ]),
  }
  const body = {
    inputs: random.pick<unknown>([[input], [input], [input], [input, input], [], value()]),
    id: random.pick<unknown>([undefined, 'id', 1, 'x'.repeat(300)]),
    outputs: random.pick<unknown>([
      undefined,
      [],
      [{ name: 'logits' }],
      [{ name: 'probabilities', parameters: { classification: value() } }],
      value(),
    ]),
    parameters: random.pick<unknown>([undefined, { binary_data_output: true }, { tta: value() }, value()]),
  }
  return random.chance(0.1)
    ? '['.repeat(1 + random.below(50_000))
    : JSON.stringify(random.chance(0.95) ? body : value())
}

const inferPaths = [
  '/v2/models/tiny/infer',
  '/v2/models/tiny/infer',
  '/v2/models/tiny/infer',
  '/v2/models/tiny/versions/1/infer',
  '/v2/models/oak/infer',
  '/v2/models/tiny/versions/99/infer',
  '/v2/models/%00/infer',
]

/** Bytes of a bomb; the largest is near the limit of a body. */
const bombBytes = [1e5, 1e5, 1e6, 1e6, 4e6, 4e6, 4e6, 31e6]

/** JSON, and the bytes after it. */
type Bomb = (random: Random, image: Buffer) => { readonly json: unknown; readonly tail: Buffer }

/** Bodies that are small when they are packed, and large or of very many parts when they are not. */
const bombs: readonly Bomb[] = [
  (random, image) => {
    const output = { name: 'probabilities', ...(random.chance(0.5) ? { parameters: { binary_data: true } } : {}) }
    const data = Array.from({ length: random.pick([1, 16]) }, () => image.toString('base64'))
    const inputs = [{ name: 'image', datatype: 'BYTES', shape: [data.length], data }]
    return { json: { inputs, outputs: Array(random.pick([2, 9, 100_000])).fill(output) }, tail: Buffer.alloc(0) }
  },
  (random) => {
    const tail = Buffer.alloc(random.pick(bombBytes))
    const shape = [random.pick([0, 1, 16, 17, tail.length / 4, 2 ** 31])]
    return { json: { inputs: [{ name: 'image', datatype: 'BYTES', shape, ...sized(tail) }] }, tail }
  },
  (random) => {
    const tail = Buffer.alloc(Math.floor(random.pick(bombBytes) / 12_288) * 12_288)
    const shape = [tail.length / 12_288, 3, 32, 32]
    return { json: { inputs: [{ name: 'pixel_values', datatype: 'FP32', shape, ...sized(tail) }] }, tail }
  },
  (random) => {
    const data = Array(random.pick([17, 1e5, 1e6])).fill(random.pick<unknown>(['', [], [['']], 0]))
    const shape = random.pick([[1], [data.length], [2 ** 31, 2 ** 31]])
    const type = random.pick([
      { name: 'image', datatype: 'BYTES' },
      { name: 'pixel_values', datatype: 'FP32' },
    ])
    return { json: { inputs: [{ ...type, shape, data }] }, tail: Buffer.alloc(0) }
  },
  (random) => ({
    json: { inputs: Array(random.pick([9, 100_000])).fill(random.pick<unknown>([0, {}, { name: 'image' }])) },
    tail: Buffer.alloc(0),
  }),
]

function sized({ length }: Buffer): object {
  return { parameters: { binary_data_size: length } }
}

const makers: Readonly<Record<string, Maker>> = {
  'image as the body': (random, images) =>
    framed(
      'POST',
      random.pick(asks),
      [
        `content-type: ${random.pick(['image/jpeg', 'image/x', 'application/octet-stream', 'image/svg+xml'])}`,
        `accept: ${random.pick(['*/*', 'image/png', 'application/json'])}`,
      ],
      someImage(random, images),
    ),
  'images in a form': (random, images) => {
    const { boundary, body } = parts(random, images)
    const type = random.pick([
      `multipart/form-data; boundary=${boundary}`,
      `multipart/form-data; boundary="${boundary}"`,
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/mixed; boundary=x',
      `multipart/form-data; boundary=${'b'.repeat(500)}`,
    ])
    return framed(
      'POST',
      random.pick(asks) + (random.chance(0.2) ? query(random) : ''),
      [
        `content-type: ${random.chance(0.8) ? type.replace(/^(?!multipart\/form-data; b).*/, `multipart/form-data; boundary=${boundary}`) : type}`,
      ],
      body,
    )
  },
  headers: (random, images) => {
    const header = random.pick<() => string>([
      () => `x-request-timeout-ms: ${encodeURI(random.pick(junk))}`,
      () => `content-type: ${random.text(1 + random.below(60))}`,
      () => `content-encoding: ${random.pick(['gzip', 'br', 'x'])}`,
      () => `accept: ${random.text(random.below(100))}`,
      () => `x-request-id: ${random.text(random.below(300))}`,
      () => `traceparent: ${random.text(random.below(60))}`,
      () => `authorization: ${random.text(random.below(60))}`,
      () => `expect: ${random.pick(['100-continue', 'x'])}`,
      () => 'upgrade: websocket',
      () => `inference-header-content-length: ${encodeURI(random.pick(junk))}`,
      () => `cookie: ${'x'.repeat(random.below(12_000))}`,
      () => Array.from({ length: random.below(300) }, (_, index) => `x-${index}: 1`).join(crlf) || 'x: 1',
    ])
    const path = random.pick([...asks, ...inferPaths, '/', '/readyz', '/docs/errors'])
    return framed(
      random.pick(['POST', 'POST', 'GET']),
      path,
      Array.from({ length: 1 + random.below(3) }, () => header()),
      someImage(random, images),
    )
  },
  query: (random, images) =>
    framed('POST', random.pick(asks) + query(random), ['content-type: image/jpeg'], someImage(random, images)),
  tensors: (random, images) => {
    const json = Buffer.from(tensorJson(random, images))
    const body = random.chance(0.2) ? mutate(random, json, images) : json
    const zip = random.chance(0.1)
    return framed(
      'POST',
      random.pick(inferPaths),
      ['content-type: application/json', ...(zip ? ['content-encoding: gzip'] : [])],
      zip ? gzipSync(body) : body,
    )
  },
  'binary tensors': (random, images) => {
    const image = someImage(random, images)
    const element = Buffer.concat([random.chance(0.8) ? lengthOf(image) : word(random), image])
    const tensor = random.chance(0.5) ? element : random.bytes(random.pick([0, 3, 4, 12_288]))
    const size = random.chance(0.8) ? tensor.length : random.pick([0, 1, 2 ** 31])
    const input = {
      name: random.pick(['image', 'pixel_values']),
      datatype: random.pick(['BYTES', 'FP32']),
      shape: random.pick([[1], [1, 3, 32, 32], [2], [0]]),
      parameters: { binary_data_size: size },
    }
    const json = Buffer.from(JSON.stringify({ inputs: [input] }))
    const length = random.chance(0.8) ? json.length : random.pick([0, 1, 1e9 - 1, json.length + 5])
    return framed(
      'POST',
      random.pick(inferPaths),
      [`inference-header-content-length: ${length}`],
      Buffer.concat([json, tensor]),
    )
  },
  bombs: (random, images) => {
    const { json, tail } = random.pick(bombs)(random, random.pick(images))
    const head = Buffer.from(JSON.stringify(json))
    return framed(
      'POST',
      '/v2/models/tiny/infer',
      ['content-encoding: gzip', ...(tail.length > 0 ? [`inference-header-content-length: ${head.length}`] : [])],
      gzipSync(Buffer.concat([head, tail]), { level: 1 }),
    )
  },
  'paths and methods': (random) => {
    const path = random.pick([
      '/',
      '/v2',
      '/v2/',
      '/v2/models/',
      '/v2/models/../x',
      '/v2/repository/index',
      '/v2/repository/models/tiny/load',
      '/v2/repository/models/tiny/unload',
      '/metrics',
      '/openapi.json',
      '/docs/errors/x',
      '/page/..%2f..%2fpackage.json',
      '/page/x',
      '//',
      '/%2e%2e/',
      '/%',
      '/%E0%A4%A',
      `/${'a'.repeat(random.below(9000))}`,
      '/classify/',
      '/CLASSIFY',
      '*',
      'http://x/classify',
    ])
    const method = random.pick([
      'GET',
      'HEAD',
      'POST',
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
      'QUERY',
      'CONNECT',
    ])
    return framed(
      method,
      path + query(random),
      [],
      method === 'POST' ? random.bytes(random.below(50)) : Buffer.alloc(0),
    )
  },
  chunks: (random, images) => {
    const image = someImage(random, images)
    const cut = random.below(image.length + 1)
    const chunk = (bytes: Buffer, size = bytes.length.toString(16)): Buffer =>
      Buffer.concat([Buffer.from(`${size}${crlf}`), bytes, Buffer.from(crlf)])
    const wrong = random.chance(0.5)
    const size = random.pick(['-1', 'zz', 'ffffffffffffffff', '7fffffff', '1;x=y', '', '0x5'])
    const body = Buffer.concat([
      ...(cut > 0 ? [chunk(image.subarray(0, cut))] : []),
      ...(wrong ? [chunk(Buffer.from('abc'), size)] : []),
      Buffer.from(`0${crlf}${crlf}`),
    ])
    const head = `POST ${random.pick(asks)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: image/png\r\ntransfer-encoding: chunked${wrong && random.chance(0.2) ? ', gzip' : ''}\r\n\r\n`
    return { method: 'POST', path: '/classify', complete: !wrong, bytes: Buffer.concat([Buffer.from(head), body]) }
  },
  'then another': (random, images) => {
    const { boundary, body } = parts(random, images)
    const [path, type] = random.pick([
      [random.pick(asks), `multipart/form-data; boundary=${boundary}`],
      [random.pick(asks) + query(random), 'image/png'],
      [random.pick(asks), 'text/plain'],
      [random.pick(inferPaths), 'application/json'],
      ['/nowhere', 'image/png'],
    ])
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`
    const next = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
    const bytes = Buffer.concat([Buffer.from(head, 'latin1'), body, Buffer.from(next)])
    return { method: 'GET', path: '/livez', complete: true, followed: true, bytes }
  },
  lengths: (random, images) => {
    const image = someImage(random, images)
    const lengths = random.pick([
      [image.length + 1 + random.below(1000)],
      [image.length, image.length + 1],
      [-1],
      [`${image.length}, 5`],
      ['99999999999999999999'],
      ['abc'],
      [33_000_000 + 70_000],
      [''],
      [`+${image.length}`],
    ])
    const lines = [
      ...lengths.map((length) => `content-length: ${length}`),
      ...(random.chance(0.2) ? ['transfer-encoding: chunked'] : []),
    ]
    const bytes = Buffer.concat([
      Buffer.from(
        `POST ${random.pick(asks)} HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\n${lines.join(crlf)}\r\n\r\n`,
      ),
      image,
    ])
    return { method: 'POST', path: '/classify', complete: false, bytes }
  },
  'no HTTP': (random) => {
    const bytes = random.pick<() => Buffer>([
      () => random.bytes(1 + random.below(400)),
      () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0, 1, 0, 1, 0xfc, 3, 3]),
      () => Buffer.from(`GET / HTTP/${random.pick(['0.9', '1.2', '3', 'x'])}\r\n\r\n`),
      () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      () => Buffer.from('\r\n\r\n\r\n'),
      () => Buffer.from(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`),
      () => Buffer.from(`GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n: x\r\n\r\n`),
      () => Buffer.from('GET / HTTP/1.1\nhost: x\n\n'),
      () => Buffer.from(`POST /classify HTTP/1.1\r\nhost: x\r\nfoo: bar\r\n folded\r\n\r\n`),
    ])()
    return { method: '', path: '', complete: false, bytes }
  },
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return length
}

export const kinds = Object.keys(makers)

/** Bombs take the service as long as many others. */
const bombShare = 0.05
const lighter = kinds.filter((kind) => kind !== 'bombs')

/** The next request, of a random kind. */
export function makeRequest(random: Random, images: readonly Buffer[]): HostileRequest {
  const kind = random.chance(bombShare) ? 'bombs' : random.pick(lighter)
  return { kind, ...makers[kind]!(random, images) }
}
