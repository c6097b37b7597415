import { crlf, framed, junk, type HostileRequest, type Maker } from './frame.ts'
import { mutate, someImage } from './mutate.ts'
import type { Random } from './random.ts'
import { inferPaths, tensorMakers } from './tensors.ts'

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
  ...tensorMakers,
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

export const kinds = Object.keys(makers)

/** Bombs take the service as long as many others. */
const bombShare = 0.05
const lighter = kinds.filter((kind) => kind !== 'bombs')

/** The next request, of a random kind. */
export function makeRequest(random: Random, images: readonly Buffer[]): HostileRequest {
  const kind = random.chance(bombShare) ? 'bombs' : random.pick(lighter)
  return { kind, ...makers[kind]!(random, images) }
}
