import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openModel, packageModel } from '@flowers/shared/model/package'
import { problems, type ProblemCode } from '../errors.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { form, quarters, solid } from '../testing/pictures.ts'
import { startService, testModels, type RunningService } from '../testing/service.ts'
import { classifyAnswer, type ClassifyAnswer } from '../http/schemas.ts'

let service: RunningService
let red: Buffer

beforeAll(async () => {
  service = await startService({ FLOWERS_BODY_LIMIT_MB: '1', FLOWERS_IMAGES_LIMIT: '3', FLOWERS_PIXEL_LIMIT_MP: '1' })
  red = await solid('#ff0000')
})
afterAll(() => service.close())

async function post(path: string, init: RequestInit): Promise<Response> {
  return fetch(`${service.url}${path}`, { method: 'POST', ...init })
}

async function classify(path: string, init: RequestInit): Promise<ClassifyAnswer> {
  const response = await post(path, init)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  return (await response.json()) as ClassifyAnswer
}

const bytes = (content: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(content)

describe('POST /classify', () => {
  it('answers with model, predictions, set, level, views and timings', async () => {
    const answer = await classify('/classify', { body: form(red) })
    expect(Object.keys(answer)).toEqual([
      'model',
      'predictions',
      'calibrated',
      'set',
      'known',
      'level',
      'group',
      'abstain',
      'views',
      'timings',
    ])
    expect(answer).toMatchObject({
      model: { name: 'tiny', version: 1 },
      set: ['red'],
      abstain: false,
      views: { used: 4, of: 6, policy: 'exact' },
    })
    expect(answer.predictions.map(({ label, index }) => [label, index])).toEqual([
      ['red', 0],
      ['yellow', 3],
      ['blue', 2],
      ['green', 1],
    ])
    const scores = answer.predictions.map(({ score }) => score)
    expect(scores.reduce((sum, score) => sum + score)).toBeCloseTo(1, 9)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    const { decode, queue, infer, total } = answer.timings
    expect(Math.min(decode, queue, infer)).toBeGreaterThanOrEqual(0)
    expect(total).toBeGreaterThanOrEqual(decode + queue + infer - 0.05)
  })

  it('says how far to rely on it: known and one label, a group of sorts, neither, or none of the classes', async () => {
    const ask = async (colour: string): Promise<ClassifyAnswer> =>
      classify('/classify?model=wary', { body: form(await solid(colour, 'png')) })
    expect(await ask('#ff0000')).toMatchObject({ level: 'sure', set: ['red'], group: null, abstain: false })
    const orange = await ask('#ff8000')
    expect(orange).toMatchObject({ level: 'perhaps', group: 'warm', calibrated: true, abstain: false })
    expect(orange.set!.toSorted()).toEqual(['red', 'yellow'])
    expect(orange.known).toBeCloseTo(0.5, 1)
    expect(await ask('#00ffff')).toMatchObject({ level: 'perhaps', group: null, abstain: false })
    const grey = await ask('#808080')
    expect(grey).toMatchObject({ level: 'none', group: null, abstain: true })
    expect(grey.known).toBeLessThan(0.2)
  })

  it('says null of what the model has not fitted, and is never sure of it', async () => {
    const models = await mkdtemp(join(tmpdir(), 'flowers-unfitted-'))
    const { manifest, network } = await openModel(join(testModels, 'tiny/1'))
    const calibration = { temperature: null, conformal: null, known: null, fastLead: null }
    const { ece: _, ...metrics } = manifest.metrics
    const files = { 'onnx/model.onnx': { copyOf: network }, 'README.md': '# bare\n' }
    const { files: __, ...rest } = manifest
    const bare = { ...rest, name: 'bare', calibration, metrics: { ...metrics, ece: null } }
    await mkdir(join(models, 'bare'))
    await packageModel(join(models, 'bare', '1'), files, bare)
    const own = await startService({ MODELS_DIR: models, MODEL: 'bare' })
    try {
      for (const colour of ['#ff0000', '#808080']) {
        const body = form(await solid(colour))
        const response = await fetch(`${own.url}/classify?details=true`, { method: 'POST', body })
        const answer = (await response.json()) as ClassifyAnswer
        expect(classifyAnswer.safeParse(answer).error).toBeUndefined()
        expect(answer).toMatchObject({ calibrated: false, set: null, known: null, level: 'perhaps', group: null })
        expect([answer.abstain, answer.details!.coverage]).toEqual([false, null])
      }
      expect(await own.metric('flowers_answers_total{model="bare",level="perhaps"}')).toBe(2)
      expect(await own.metric('flowers_level_share{model="bare",level="none"}')).toBeUndefined()
    } finally {
      await own.close()
      await rm(models, { recursive: true })
    }
  })

  it('reads known from the plain view, whatever the views', async () => {
    const pictures = await Promise.all([1, 2, 3].map(quarters))
    for (const picture of pictures) {
      const [one, six] = await Promise.all(
        ['none', 'full'].map((tta) => classify(`/classify?model=wary&tta=${tta}`, { body: form(picture) })),
      )
      expect(six!.views.used).toBe(6)
      expect(six!.known).toBe(one!.known)
    }
  })

  it('tells what each view said when it is asked for details', async () => {
    const { views, details } = await classify('/classify?details=true&tta=exact', { body: form(red) })
    expect(details!.coverage).toBe(0.95)
    expect(details!.views).toHaveLength(views.used)
    expect(details!.views.slice(0, 2).map(({ flip, scale, label }) => [flip, scale, label])).toEqual([
      ['none', 1, 'red'],
      ['horizontal', 1, 'red'],
    ])
    const one = await classify('/classify?details=true&tta=none', { body: form(red) })
    expect(one.details!.views.map(({ score }) => score)).toEqual([one.predictions[0]!.score])
  })

  it.each([
    ['image/jpeg', { 'content-type': 'image/jpeg' }],
    ['the type that curl gives', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['text/plain', { 'content-type': 'text/plain; charset=utf-8' }],
    ['another image type than the content', { 'content-type': 'image/svg+xml; charset=utf-8' }],
    ['application/octet-stream', { 'content-type': 'application/octet-stream' }],
  ])('takes a body of type %s', async (_name, headers) => {
    for (const [colour, label] of [
      ['#00ff00', 'green'],
      ['#0000ff', 'blue'],
      ['#ffff00', 'yellow'],
    ] as const) {
      const answer = await classify('/classify', { headers, body: bytes(await solid(colour, 'webp')) })
      expect(answer.predictions[0]!.label).toBe(label)
    }
  })

  it('takes a body without a type', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(`${service.url}/classify`, { method: 'POST' }, (response) => {
        response.setEncoding('utf8')
        let text = ''
        response.on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text))
      })
      request.on('error', reject).end(red)
    })
    expect(JSON.parse(answer)).toMatchObject({ set: ['red'] })
  })

  it('answers several images in order, each with its answer or its problem', async () => {
    const pictures = [await solid('#0000ff', 'png'), Buffer.from('no image'), red]
    const response = await post('/classify?top_k=1', { body: form(...pictures) })
    expect(response.status).toBe(200)
    const { results } = (await response.json()) as { results: unknown[] }
    expect(results).toEqual([
      expect.objectContaining({ predictions: [expect.objectContaining({ label: 'blue' })] }),
      expect.objectContaining({ status: 415, code: 'IMAGE_UNSUPPORTED' }),
      expect.objectContaining({ predictions: [expect.objectContaining({ label: 'red' })] }),
    ])
  })

  it.each([
    ['full', 6],
    ['exact', 4],
    ['fast', 1],
    ['none', 1],
  ])('with tta=%s uses %i views of a clear picture', async (policy, used) => {
    const answer = await classify(`/classify?tta=${policy}`, { body: form(red) })
    expect(answer.views).toEqual({ used, of: 6, policy })
  })

  it('gives the label of all views with exact, and stops early for some', async () => {
    const used = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const body = form(await quarters(seed))
      const full = await classify('/classify?tta=full', { body })
      const exact = await classify('/classify?tta=exact', { body })
      expect(exact.predictions[0]!.label).toBe(full.predictions[0]!.label)
      used.add(exact.views.used)
    }
    expect([...used].sort((a, b) => a - b)).toEqual([4, 5, 6])
  })

  it('abstains on a picture that is like no class', async () => {
    const answer = await classify('/classify', { body: form(await solid('#808080')) })
    expect(answer).toMatchObject({ abstain: true, views: { used: 6 } })
    expect(answer.set?.length).toBeGreaterThan(2)
  })

  it('gives top_k predictions, all of them when there are fewer', async () => {
    expect((await classify('/classify?top_k=2', { body: form(red) })).predictions).toHaveLength(2)
    expect((await classify('/classify?top_k=1000', { body: form(red) })).predictions).toHaveLength(4)
  })

  it('serves another model by name', async () => {
    const answer = await classify('/classify?model=slow&tta=none', { body: form(red) })
    expect(answer).toMatchObject({ model: { name: 'slow', version: 1 }, set: ['red'] })
    expect(await service.metric('flowers_model_info{model="slow",version="1",architecture="convnext-test"}')).toBe(1)
  })

  it('returns the request id of the client when it is safe, and makes one when not', async () => {
    const idOf = async (id: string): Promise<string | null> =>
      (await post('/classify', { body: form(red), headers: { 'x-request-id': id } })).headers.get('x-request-id')
    expect(await idOf('trace-1.2:3')).toBe('trace-1.2:3')
    expect(await idOf('a b"c')).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('POST /classify refuses', () => {
  const multipart = (body: string): RequestInit => ({
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body,
  })
  const stream = (content: Uint8Array): RequestInit => ({
    headers: { 'content-type': 'image/png' },
    body: new Blob([Uint8Array.from(content)]).stream(),
    // Not in the types of this version of Node: needed to send a stream, chunked and without a length.
    ...({ duplex: 'half' } as object),
  })
  const large = Buffer.alloc(1_100_000)
  const text = (name: string, value: string): FormData => {
    const data = new FormData()
    data.append(name, value)
    return data
  }
  const otherField = (): FormData => {
    const data = form(red)
    data.append('file', new Blob([Uint8Array.from(red)]), 'picture')
    return data
  }

  const cases: [name: string, code: ProblemCode, path: string, init: () => RequestInit | Promise<RequestInit>][] = [
    ['an unknown parameter', 'SERVICE_PARAMETER', '/classify?views=6', () => ({ body: form(red) })],
    ['a repeated parameter', 'SERVICE_PARAMETER', '/classify?tta=full&tta=none', () => ({ body: form(red) })],
    ['an unknown policy', 'SERVICE_PARAMETER', '/classify?tta=quick', () => ({ body: form(red) })],
    ['top_k=0', 'SERVICE_PARAMETER', '/classify?top_k=0', () => ({ body: form(red) })],
    ['top_k=1.5', 'SERVICE_PARAMETER', '/classify?top_k=1.5', () => ({ body: form(red) })],
    [
      'no milliseconds',
      'SERVICE_PARAMETER',
      '/classify',
      () => ({ body: form(red), headers: { 'x-request-timeout-ms': '0' } }),
    ],
    [
      'fractions of milliseconds',
      'SERVICE_PARAMETER',
      '/classify',
      () => ({ body: form(red), headers: { 'x-request-timeout-ms': '1.5' } }),
    ],
    [
      'too many milliseconds',
      'SERVICE_PARAMETER',
      '/classify',
      () => ({ body: form(red), headers: { 'x-request-timeout-ms': '600001' } }),
    ],
    ['an unknown model', 'MODEL_MISSING', '/classify?model=oak', () => ({ body: form(red) })],
    ['a path for a model', 'MODEL_MISSING', '/classify?model=../models/tiny', () => ({ body: form(red) })],
    ['no body', 'SERVICE_NO_IMAGE', '/classify', () => ({})],
    ['an empty body', 'SERVICE_NO_IMAGE', '/classify', () => ({ headers: { 'content-type': 'image/jpeg' }, body: '' })],
    ['an empty form', 'SERVICE_NO_IMAGE', '/classify', () => multipart('--x--\r\n')],
    ['an empty file', 'IMAGE_EMPTY', '/classify', () => ({ body: form(Buffer.alloc(0)) })],
    ['text for a file', 'SERVICE_NO_IMAGE', '/classify', () => ({ body: text('img', 'rose.jpg') })],
    ['another field', 'SERVICE_PARAMETER', '/classify', () => ({ body: otherField() })],
    ['a text field', 'SERVICE_PARAMETER', '/classify', () => ({ body: text('tta', 'full') })],
    [
      'a form without boundary',
      'SERVICE_MALFORMED',
      '/classify',
      () => ({ headers: { 'content-type': 'multipart/form-data' }, body: 'x' }),
    ],
    [
      'a form that is cut off',
      'SERVICE_MALFORMED',
      '/classify',
      () => multipart('--x\r\nContent-Disposition: form-data; name="img"; filename="a"\r\n\r\nabc'),
    ],
    [
      'too many bytes, announced',
      'SERVICE_TOO_LARGE',
      '/classify',
      () => ({ headers: { 'content-type': 'image/png' }, body: bytes(large) }),
    ],
    ['too many bytes, streamed', 'SERVICE_TOO_LARGE', '/classify', () => stream(large)],
    [
      'a part with too many bytes',
      'SERVICE_TOO_LARGE',
      '/classify',
      () => ({ body: form(large.subarray(0, 1_000_001)) }),
    ],
    [
      'parts with too many bytes together',
      'SERVICE_TOO_LARGE',
      '/classify',
      () => ({ body: form(large.subarray(0, 510_000), large.subarray(0, 510_000)) }),
    ],
    ['too many parts', 'SERVICE_TOO_LARGE', '/classify', () => ({ body: form(red, red, red, red) })],
    ['too many pixels', 'IMAGE_TOO_LARGE', '/classify', async () => ({ body: form(await solid('red', 'png', 1001)) })],
    [
      'a type that is no image, of content that is none',
      'IMAGE_UNSUPPORTED',
      '/classify',
      () => ({ headers: { 'content-type': 'application/json' }, body: '{}' }),
    ],
    [
      'a type that is none',
      'SERVICE_MEDIA_TYPE',
      '/classify',
      () => ({ headers: { 'content-type': 'image' }, body: '{}' }),
    ],
    [
      'content that is no image',
      'IMAGE_UNSUPPORTED',
      '/classify',
      () => ({ headers: { 'content-type': 'image/png' }, body: '<svg/>' }),
    ],
    ['an image that is cut off', 'IMAGE_BROKEN', '/classify', () => ({ body: form(red.subarray(0, red.length - 40)) })],
  ]

  it.each(cases)('%s with %s', async (_name, code, path, init) => {
    const response = await post(path, await init())
    const problem = (await response.json()) as Record<string, unknown>
    const { status, title } = problems[code]
    expect(problem).toEqual({
      type: `/docs/errors/${code}`,
      title,
      status,
      code,
      detail: expect.stringMatching(/[.!?)]$/),
    })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  })

  it('and goes on after all of that', async () => {
    expect(await service.metric('flowers_queue_depth')).toBe(0)
    expect(await service.metric('flowers_workers_busy')).toBe(0)
    expect((await post('/classify', { body: form(red) })).status).toBe(200)
  })
})
