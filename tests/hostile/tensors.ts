import { gzipSync } from 'node:zlib'
import { framed, junk, type Maker } from './frame.ts'
import { mutate, someImage, word } from './mutate.ts'
import type { Random } from './random.ts'

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

export const inferPaths = [
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

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return length
}

/** Requests of the Open Inference Protocol. */
export const tensorMakers: Readonly<Record<string, Maker>> = {
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
}
