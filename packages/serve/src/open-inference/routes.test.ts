import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as schemas from '../http/schemas.ts'
import { solid } from '../testing/pictures.ts'
import { answered, callProtocol, refused, size, type ProtocolRequest } from '../testing/protocol.ts'
import { listen, startService, testModels, until, type RunningService } from '../testing/service.ts'

let service: RunningService

beforeAll(async () => {
  service = await startService({ FLOWERS_ADMIN_TOKEN: 'admin-1' })
})
afterAll(() => service.close())

const admin = { authorization: 'Bearer admin-1' }

const call = (...request: ProtocolRequest): Promise<Response> => callProtocol(service, ...request)

describe('server and models', () => {
  it('tells what it is, and that it is alive and ready', async () => {
    expect(await answered(await call('GET', '/v2'), schemas.serverMetadata)).toMatchObject({
      name: 'flowers',
      extensions: expect.arrayContaining(['binary_tensor_data', 'classification']),
    })
    expect(await answered(await call('GET', '/v2/health/live'), schemas.serverLive)).toEqual({ live: true })
    expect(await answered(await call('GET', '/v2/health/ready'), schemas.serverReady)).toEqual({ ready: true })
  })

  it('is not ready before the model is loaded', async () => {
    const starting = await listen()
    try {
      const response = await fetch(`${starting.url}/v2/health/ready`)
      expect(response.headers.get('retry-after')).toBe('1')
      expect(await refused(response)).toEqual({ status: 503, error: expect.stringMatching(/^SERVICE_NOT_READY: /) })
      expect((await fetch(`${starting.url}/v2/health/live`)).status).toBe(200)
    } finally {
      await starting.close()
    }
  })

  it('describes a model, with and without its version', async () => {
    for (const path of ['/v2/models/tiny', '/v2/models/tiny/versions/1']) {
      expect(await answered(await call('GET', path), schemas.modelMetadata)).toEqual({
        name: 'tiny',
        versions: ['1'],
        platform: 'onnx_onnxv1',
        inputs: [
          { name: 'pixel_values', datatype: 'FP32', shape: [-1, 3, size, size] },
          { name: 'image', datatype: 'BYTES', shape: [-1] },
        ],
        outputs: [
          { name: 'logits', datatype: 'FP32', shape: [-1, 4] },
          { name: 'probabilities', datatype: 'FP32', shape: [-1, 4] },
        ],
      })
      const ready = await answered(await call('GET', `${path}/ready`), schemas.modelReady)
      expect(ready).toEqual({ name: 'tiny', ready: true })
    }
  })

  it('describes the output known of a model that has it', async () => {
    const { outputs } = await answered(await call('GET', '/v2/models/wary'), schemas.modelMetadata)
    expect(outputs).toEqual([
      { name: 'logits', datatype: 'FP32', shape: [-1, 4] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 4] },
      { name: 'known', datatype: 'FP32', shape: [-1] },
    ])
  })

  it.each(['/v2/models/oak', '/v2/models/oak/ready', '/v2/models/tiny/versions/2', '/v2/models/tiny/versions/2/ready'])(
    'knows no %s',
    async (path) => {
      const answer = await refused(await call('GET', path))
      expect(answer).toEqual({ status: 404, error: expect.stringMatching(/^MODEL_MISSING: /) })
      expect(JSON.stringify(answer)).not.toContain(testModels)
    },
  )

  it('answers unknown paths and methods in the form of the protocol', async () => {
    expect(await refused(await call('GET', '/v2/nowhere'))).toMatchObject({ status: 404 })
    const response = await call('GET', '/v2/models/tiny/infer')
    expect(response.headers.get('allow')).toBe('POST')
    expect(await refused(response)).toEqual({ status: 405, error: expect.stringMatching(/^SERVICE_METHOD: /) })
  })
})

describe('repository', () => {
  it('loads and unloads a model, and lists which are ready', async () => {
    const states = async (body?: object): Promise<[string, string][]> =>
      (await answered(await call('POST', '/v2/repository/index', body), schemas.repositoryIndex)).map(
        ({ name, state }) => [name, state],
      )
    const command = (name: string, what: string): Promise<Response> =>
      call('POST', `/v2/repository/models/${name}/${what}`, {}, admin)
    const ready = async (): Promise<number> => (await call('GET', '/v2/models/slow/ready')).status
    const data = [(await solid('red')).toString('base64')]
    const infer = async (tta = 'none'): Promise<number> => {
      const inputs = [{ name: 'image', datatype: 'BYTES', shape: [1], data }]
      return (await call('POST', '/v2/models/slow/infer', { parameters: { tta }, inputs })).status
    }

    expect(await states()).toEqual([
      ['slow', 'UNAVAILABLE'],
      ['tiny', 'READY'],
      ['wary', 'UNAVAILABLE'],
    ])
    expect(await ready()).toBe(404)
    // What a model is like is in its manifest: nothing is loaded for it.
    const { inputs } = await answered(await call('GET', '/v2/models/slow'), schemas.modelMetadata)
    expect(inputs.map(({ name }) => name)).toEqual(['pixel_values', 'image'])
    expect((await call('GET', '/v2/models/slow/versions/2')).status).toBe(404)
    expect(await ready()).toBe(404)
    await answered(await command('slow', 'load'), schemas.emptyAnswer)
    expect(await ready()).toBe(200)
    expect(await states({ ready: true })).toEqual([
      ['slow', 'READY'],
      ['tiny', 'READY'],
    ])

    const last = infer('full')
    // Once it is at work, an unload waits for it.
    await until(async () => (await service.metric('flowers_workers_busy')) !== 0)
    await answered(await command('slow', 'unload'), schemas.emptyAnswer)
    expect(await last).toBe(200)
    expect(await infer()).toBe(404)
    expect(await ready()).toBe(404)
    expect((await call('GET', '/v2/models/slow')).status).toBe(404)
    expect(await states()).toEqual([
      ['slow', 'UNAVAILABLE'],
      ['tiny', 'READY'],
      ['wary', 'UNAVAILABLE'],
    ])
    await answered(await command('slow', 'load'), schemas.emptyAnswer)
    expect(await infer()).toBe(200)
  })

  it('keeps the default model, knows no other, and takes no configuration', async () => {
    const unload = await refused(await call('POST', '/v2/repository/models/tiny/unload', {}, admin))
    expect(unload).toEqual({ status: 409, error: expect.stringMatching(/^MODEL_IN_USE: /) })
    expect(await refused(await call('POST', '/v2/repository/models/oak/load', {}, admin))).toMatchObject({
      status: 404,
    })
    const config = { parameters: { config: '{}' } }
    expect(await refused(await call('POST', '/v2/repository/models/tiny/load', config, admin))).toEqual({
      status: 400,
      error: expect.stringMatching(/^SERVICE_MALFORMED: parameters: .*config/),
    })
    expect((await call('POST', '/v2/repository/models/tiny/load')).status).toBe(401)
  })
})
