import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import * as schemas from '../http/schemas.ts'
import { form, solid } from '../testing/pictures.ts'
import {
  answered,
  binaryBody,
  callProtocol,
  element,
  pixels,
  plane,
  refused,
  size,
  tensor,
  type ProtocolRequest,
} from '../testing/protocol.ts'
import { startService, until, type RunningService } from '../testing/service.ts'

const labels = ['red', 'green', 'blue', 'yellow']

let service: RunningService

beforeAll(async () => {
  service = await startService({ FLOWERS_BODY_LIMIT_MB: '1', FLOWERS_IMAGES_LIMIT: '3' })
})
afterAll(() => service.close())

const call = (...request: ProtocolRequest): Promise<Response> => callProtocol(service, ...request)

describe('infer', () => {
  const red = pixels([1, 0, 0])

  it('gives the same logits for flat, nested and binary tensors, and for several rows', async () => {
    const nested = [0, 1, 2].map((channel) =>
      Array.from({ length: size }, (_, y) => [
        ...red.subarray(channel * plane + y * size, channel * plane + (y + 1) * size),
      ]),
    )
    const logits = async (data: unknown): Promise<number[]> => {
      const body = { id: 'a-1', inputs: [tensor(red, { data })] }
      const answer = await answered(await call('POST', '/v2/models/tiny/infer', body), schemas.inferResponse)
      expect(answer).toMatchObject({ model_name: 'tiny', model_version: '1', id: 'a-1' })
      expect(answer.outputs).toEqual([{ name: 'logits', datatype: 'FP32', shape: [1, 4], data: expect.any(Array) }])
      return answer.outputs[0]!.data as number[]
    }
    const flat = await logits([...red])
    // GAIN x weights x cells of make-networks.py, for cells of (2, -2, -2): 0.5 x 4 x (2 + 1 + 1) for red.
    expect(flat.map((value) => Math.round(value * 1e4) / 1e4)).toEqual([8, -4, -4, 4])
    expect(await logits([nested])).toEqual(flat)

    const batch = pixels([0, 0, 1], [1, 0, 0], [1, 1, 0])
    const bytes = new Uint8Array(batch.buffer)
    const json = { inputs: [tensor(batch, { parameters: { binary_data_size: bytes.length } })] }
    const { body, headers } = binaryBody(json, bytes)
    const answer = await answered(
      await call('POST', '/v2/models/tiny/versions/1/infer', body, headers),
      schemas.inferResponse,
    )
    const { shape, data } = answer.outputs[0]!
    expect(shape).toEqual([3, 4])
    expect(answer).not.toHaveProperty('id')
    expect(data!.slice(4, 8)).toEqual(flat)
    const best = [0, 4, 8]
      .map((from) => data!.slice(from, from + 4).map(Number))
      .map((row) => row.indexOf(Math.max(...row)))
    expect(best.map((index) => labels[index])).toEqual(['blue', 'red', 'yellow'])
  })

  it('gives known beside the logits of a model that has it, or alone, or not where it is not asked for', async () => {
    const rows = pixels([1, 0, 0], [0.5, 0.5, 0.5])
    const ask = async (model: string, rest: object): Promise<z.output<typeof schemas.inferResponse>['outputs']> => {
      const body = { inputs: [tensor(rows, { data: [...rows] })], ...rest }
      const answer = await answered(await call('POST', `/v2/models/${model}/infer`, body), schemas.inferResponse)
      return answer.outputs
    }
    const [logits, known, ...more] = await ask('wary', {})
    expect(more).toEqual([])
    expect([logits]).toEqual(await ask('tiny', {}))
    expect(known).toEqual({ name: 'known', datatype: 'FP32', shape: [2], data: expect.any(Array) })
    // The sigmoid of the distance from grey less 2: 4 and 0.
    expect(known!.data!.map((value) => Number(value).toFixed(4))).toEqual(['0.8808', '0.1192'])
    expect(await ask('wary', { outputs: [{ name: 'known' }] })).toEqual([known])
    expect(await ask('wary', { outputs: [{ name: 'known' }, { name: 'logits' }] })).toEqual([known, logits])
    expect(await ask('wary', { outputs: [{ name: 'logits' }] })).toEqual([logits])
  })

  it('gives known of images as /classify does', async () => {
    const picture = await solid('#ff8000', 'png')
    const inputs = [{ name: 'image', datatype: 'BYTES', shape: [1], data: [picture.toString('base64')] }]
    const { outputs } = await answered(await call('POST', '/v2/models/wary/infer', { inputs }), schemas.inferResponse)
    const response = await fetch(`${service.url}/classify?model=wary`, { method: 'POST', body: form(picture) })
    const { known } = (await response.json()) as { known: number }
    expect(outputs.map(({ name }) => name)).toEqual(['probabilities', 'known'])
    expect(outputs[1]!.data![0]).toBeCloseTo(known, 6)
  })

  it.each([
    ['known of a model without it', 'tiny', [{ name: 'known' }], 'pixel_values gives logits, not "known"'],
    ['known twice', 'wary', [{ name: 'known' }, { name: 'known' }], 'known is asked for twice'],
    ['the classes of known', 'wary', [{ name: 'known', parameters: { classification: 1 } }], 'known has no classes'],
    ['probabilities', 'wary', [{ name: 'probabilities' }], 'pixel_values gives logits and known, not "probabilities"'],
  ])('refuses to give %s', async (_, model, outputs, reason) => {
    const body = { inputs: [tensor(red, { data: [...red] })], outputs }
    expect(await refused(await call('POST', `/v2/models/${model}/infer`, body))).toMatchObject({
      status: 400,
      error: expect.stringContaining(reason),
    })
  })

  it('reads a tensor as bytes that would be too much JSON', async () => {
    const own = await startService({ FLOWERS_BODY_LIMIT_MB: '4', FLOWERS_JSON_LIMIT_MB: '1' })
    try {
      const values = pixels(...Array.from({ length: 60 }, (): [number, number, number] => [0.9, 0.1, 0.1]))
      const url = `${own.url}/v2/models/tiny/infer`
      const json = JSON.stringify({ inputs: [tensor(values, { data: [...values] })] })
      expect(json.length).toBeGreaterThan(1e6)
      for (const headers of [{}, { 'inference-header-content-length': String(json.length) }]) {
        expect(await refused(await fetch(url, { method: 'POST', body: json, headers }))).toMatchObject({
          status: 413,
          error: expect.stringContaining('binary_data_size'),
        })
      }
      const bytes = Buffer.from(values.buffer)
      const input = tensor(values, { parameters: { binary_data_size: bytes.length } })
      const { body, headers } = binaryBody({ inputs: [input] }, bytes)
      expect((await fetch(url, { method: 'POST', body: Uint8Array.from(body), headers })).status).toBe(200)
    } finally {
      await own.close()
    }
  })

  it('answers with binary tensors where asked, for all outputs or one', async () => {
    for (const ask of [
      { parameters: { binary_data_output: true } },
      { outputs: [{ name: 'logits', parameters: { binary_data: true } }] },
    ]) {
      const response = await call('POST', '/v2/models/tiny/infer', {
        ...ask,
        inputs: [tensor(red, { data: [...red] })],
      })
      expect(response.headers.get('content-type')).toBe('application/octet-stream')
      const jsonBytes = Number(response.headers.get('inference-header-content-length'))
      const body = Buffer.from(await response.arrayBuffer())
      const answer = JSON.parse(body.subarray(0, jsonBytes).toString()) as unknown
      expect(schemas.inferResponse.safeParse(answer).error).toBeUndefined()
      expect(answer).toMatchObject({ outputs: [{ parameters: { binary_data_size: 16 } }] })
      const values = [0, 4, 8, 12].map((offset) => body.readFloatLE(jsonBytes + offset))
      expect(body.length).toBe(jsonBytes + 16)
      expect(values.map((value) => Math.round(value * 1e4) / 1e4)).toEqual([8, -4, -4, 4])
    }
  })

  it('gives the probabilities of images as /classify does, and their best classes as text', async () => {
    const pictures = [await solid('#ff0000'), await solid('#0000ff', 'png')]
    const data = pictures.map((picture) => picture.toString('base64'))
    const ask = async (rest: object): Promise<z.output<typeof schemas.inferResponse>> =>
      answered(
        await call('POST', '/v2/models/tiny/infer', {
          inputs: [{ name: 'image', datatype: 'BYTES', shape: [2], data }],
          ...rest,
        }),
        schemas.inferResponse,
      )
    const response = await fetch(`${service.url}/classify`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: Uint8Array.from(pictures[0]!),
    })
    const { predictions } = (await response.json()) as schemas.ClassifyAnswer
    const { outputs } = await ask({})
    expect(outputs[0]).toMatchObject({ name: 'probabilities', datatype: 'FP32', shape: [2, 4] })
    for (const { index, score } of predictions) expect(outputs[0]!.data![index]).toBeCloseTo(score, 6)

    const best = await ask({ outputs: [{ name: 'probabilities', parameters: { classification: 2 } }] })
    expect(best.outputs[0]).toMatchObject({ datatype: 'BYTES', shape: [2, 2] })
    const texts = best.outputs[0]!.data as string[]
    expect(texts[0]).toBe(`${predictions[0]!.score.toFixed(6)}:0:red`)
    expect(texts[2]).toMatch(/^0\.\d{6}:2:blue$/)

    const one = await ask({ parameters: { tta: 'none' } })
    expect(one.outputs[0]!.data).not.toEqual(outputs[0]!.data)
  })

  it('takes images as binary elements, and one as the whole body', async () => {
    const green = await solid('#00ff00', 'webp')
    const bytes = Buffer.concat([element(green), element(green)])
    const outputs = [{ name: 'probabilities', parameters: { classification: 1 } }]
    const input = { name: 'image', datatype: 'BYTES', shape: [2, 1], parameters: { binary_data_size: bytes.length } }
    const { body, headers } = binaryBody({ inputs: [input], outputs }, bytes)
    const answer = await answered(await call('POST', '/v2/models/tiny/infer', body, headers), schemas.inferResponse)
    expect(answer.outputs[0]!.data).toEqual([expect.stringMatching(/:1:green$/), expect.stringMatching(/:1:green$/)])

    for (const headers of [{ 'inference-header-content-length': '0' }, { 'content-type': 'image/webp' }]) {
      const raw = await call('POST', '/v2/models/tiny/infer', green, headers)
      expect(raw.status).toBe(200)
      expect(raw.headers.get('server-timing')).toMatch(/^decode;dur=[\d.]+, queue;dur=[\d.]+, infer;dur=[\d.]+, total;/)
      const values = Buffer.from(await raw.arrayBuffer()).subarray(
        Number(raw.headers.get('inference-header-content-length')),
      )
      expect(values.length).toBe(16)
      expect(values.readFloatLE(4)).toBeGreaterThan(0.5)
    }
  })

  const image = (data: unknown, shape = [1]): object => ({
    inputs: [{ name: 'image', datatype: 'BYTES', shape, data }],
  })
  const jpeg = Buffer.from('no image').toString('base64')
  const bad: [name: string, status: number, error: RegExp, body: unknown, headers?: Record<string, string>][] = [
    ['no JSON', 400, /^SERVICE_TENSOR: The body is not JSON/, Buffer.from('{')],
    ['an empty body', 400, /^SERVICE_TENSOR: The body is not JSON/, Buffer.alloc(0)],
    ['no inputs', 400, /^SERVICE_TENSOR: inputs/, {}],
    ['two inputs', 400, /one input/, { inputs: [tensor(red, { data: [...red] }), tensor(red, { data: [...red] })] }],
    [
      'an unknown input',
      400,
      /no input "x"; there are: pixel_values, image/,
      { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] },
    ],
    [
      'a name of every object',
      400,
      /no input/,
      { inputs: [{ name: 'constructor', datatype: 'FP32', shape: [1], data: [1] }] },
    ],
    [
      'another datatype',
      400,
      /is FP32, not BYTES/,
      { inputs: [{ name: 'pixel_values', datatype: 'BYTES', shape: [1], data: [''] }] },
    ],
    [
      'an unknown datatype',
      400,
      /datatype FP16/,
      { inputs: [{ name: 'pixel_values', datatype: 'FP16', shape: [1], data: [1] }] },
    ],
    [
      'another shape',
      400,
      /shape of pixel_values is \[N, 3, 32, 32\], not \[1, 2\]/,
      { inputs: [{ name: 'pixel_values', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] },
    ],
    [
      'no rows',
      400,
      /shape of pixel_values/,
      { inputs: [{ name: 'pixel_values', datatype: 'FP32', shape: [0, 3, 32, 32], data: [] }] },
    ],
    ['too few values', 400, /3072 elements, its data 2/, { inputs: [tensor(red, { data: [1, 2] })] }],
    [
      'an endless shape',
      400,
      /elements/,
      { inputs: [{ name: 'pixel_values', datatype: 'FP32', shape: [2 ** 31, 2 ** 31], data: [1] }] },
    ],
    [
      'text for numbers',
      400,
      /must be numbers/,
      { inputs: [{ name: 'pixel_values', datatype: 'FP32', shape: [1], data: ['1'] }] },
    ],
    [
      'numbers beyond float32',
      400,
      /not finite/,
      { inputs: [{ name: 'pixel_values', datatype: 'FP32', shape: [1], data: [1e300] }] },
    ],
    ['neither data nor bytes', 400, /needs data or binary_data_size/, { inputs: [tensor(red, {})] }],
    [
      'bytes that were not sent',
      400,
      /has 12288 bytes, of which 0 were sent/,
      { inputs: [tensor(red, { parameters: { binary_data_size: 12_288 } })] },
    ],
    [
      'an unknown output',
      400,
      /gives logits, not "probabilities"/,
      { inputs: [tensor(red, { data: [...red] })], outputs: [{ name: 'probabilities' }] },
    ],
    [
      'an output twice',
      400,
      /^SERVICE_TENSOR: The output logits is asked for twice/,
      { inputs: [tensor(red, { data: [...red] })], outputs: [{ name: 'logits' }, { name: 'logits' }] },
    ],
    [
      'endless outputs',
      400,
      /^SERVICE_TENSOR: outputs: .*8/,
      { inputs: [tensor(red, { data: [...red] })], outputs: Array.from({ length: 5000 }, () => ({ name: 'logits' })) },
    ],
    ['endless inputs', 400, /^SERVICE_TENSOR: inputs: .*8/, { inputs: Array.from({ length: 5000 }, () => ({})) }],
    [
      'a name that is endless',
      400,
      /^SERVICE_TENSOR: inputs.0.name: /,
      { inputs: [{ name: 'x'.repeat(10_000), datatype: 'FP32', shape: [1], data: [1] }] },
    ],
    [
      'pixels that no picture has',
      400,
      /^SERVICE_TENSOR: Row 0 of pixel_values/,
      { inputs: [tensor(red, { data: Array.from(red, () => 3e38) })] },
    ],
    [
      'an unknown policy',
      400,
      /parameters.tta/,
      { parameters: { tta: 'quick' }, inputs: [tensor(red, { data: [...red] })] },
    ],
    ['an image that is no base64', 400, /must be base64/, image(['*'])],
    ['content that is no image', 415, /^IMAGE_UNSUPPORTED: /, image([jpeg])],
    ['too many images', 413, /^SERVICE_TOO_LARGE: /, image([jpeg, jpeg, jpeg, jpeg], [4])],
    [
      'a header that is no number',
      400,
      /Inference-Header-Content-Length/,
      {},
      { 'inference-header-content-length': '-1' },
    ],
    [
      'a header beyond the body',
      400,
      /Inference-Header-Content-Length is 99/,
      {},
      { 'inference-header-content-length': '99' },
    ],
    [
      'bytes that belong to nothing',
      400,
      /2 bytes after the JSON/,
      Buffer.from('{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["AA"]}]}xx'),
      { 'inference-header-content-length': '74' },
    ],
    ['an unknown encoding', 415, /^SERVICE_MEDIA_TYPE: /, {}, { 'content-encoding': 'br' }],
    ['a body that is no gzip', 400, /not gzip/, Buffer.from('{}'), { 'content-encoding': 'gzip' }],
    ['a body that grows', 413, /MB unpacked/, gzipSync(Buffer.alloc(2e6)), { 'content-encoding': 'gzip' }],
    ['too many bytes', 413, /^SERVICE_TOO_LARGE: /, Buffer.alloc(1_100_000)],
    ['a deadline that is none', 400, /^SERVICE_PARAMETER: /, {}, { 'x-request-timeout-ms': 'soon' }],
  ]

  it.each(bad)('refuses %s with %i', async (_name, status, error, body, headers = {}) => {
    const response = await call('POST', '/v2/models/tiny/infer', body, headers)
    expect(await refused(response)).toEqual({ status, error: expect.stringMatching(error) })
  })

  it('takes a body that is compressed', async () => {
    const json = Buffer.from(JSON.stringify({ inputs: [tensor(red, { data: [...red] })] }))
    for (const [encoding, body] of [
      ['gzip', gzipSync(json)],
      ['deflate', deflateSync(json)],
    ] as const) {
      const response = await call('POST', '/v2/models/tiny/infer', body, { 'content-encoding': encoding })
      expect((await answered(response, schemas.inferResponse)).outputs[0]!.shape).toEqual([1, 4])
    }
  })

  it('refuses elements that are cut off', async () => {
    for (const bytes of [Buffer.from([1, 0]), Buffer.from([9, 0, 0, 0, 1]), Buffer.alloc(8)]) {
      const input = { name: 'image', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: bytes.length } }
      const { body, headers } = binaryBody({ inputs: [input] }, bytes)
      expect(await refused(await call('POST', '/v2/models/tiny/infer', body, headers))).toMatchObject({ status: 400 })
    }
  })

  it('runs no image for nobody: those beside one that is broken are dropped, and count so', async () => {
    const own = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '1' })
    try {
      const good = (await solid('#ff0000')).toString('base64')
      const body = JSON.stringify(image([jpeg, good, good, good], [4]))
      const response = await fetch(`${own.url}/v2/models/slow/infer`, { method: 'POST', body })
      expect(await refused(response)).toEqual({ status: 415, error: expect.stringMatching(/^IMAGE_UNSUPPORTED: /) })
      const results = ['ok', 'abstained', 'gone', 'dropped', 'IMAGE_UNSUPPORTED', 'INTERNAL']
      const counts = (): Promise<(number | undefined)[]> =>
        Promise.all(results.map((result) => own.metric(`flowers_images_total{result="${result}"}`)))
      await until(async () => (await counts()).reduce<number>((sum, count) => sum + (count ?? 0), 0) === 4)
      expect(await counts()).toEqual([0, 0, 0, 3, 1, 0])
      await until(async () => (await own.metric('flowers_queue_depth')) === 0)
    } finally {
      await own.close()
    }
  })

  it('and leaves nothing behind', async () => {
    expect(await service.metric('flowers_queue_depth')).toBe(0)
    expect(await service.metric('flowers_workers_busy')).toBe(0)
  })
})
