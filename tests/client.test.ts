import { FlowersClient, ProblemError } from '@flowers/client/client'
import { solid } from '@flowers/serve/testing/pictures'
import { startService } from '@flowers/serve/testing/service'
import type { RunningService } from '@flowers/serve/testing/service'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

let service: RunningService
let client: FlowersClient

beforeAll(async () => {
  service = await startService({ FLOWERS_TOKEN: 'client-1' })
  client = new FlowersClient({ baseUrl: service.url, token: 'client-1' })
})
afterAll(() => service.close())

const picture = async (colour: string): Promise<Blob> => new Blob([Uint8Array.from(await solid(colour))])

describe('FlowersClient', () => {
  it('names the flower in one image, with what it is asked for', async () => {
    const answer = await client.classify(await picture('#ff0000'), {
      tta: 'none',
      topK: 2,
      model: 'tiny',
      timeoutMs: 60_000,
    })
    expect(answer.predictions.map(({ label }) => label)).toEqual(['red', 'yellow'])
    expect(answer.views).toEqual({ used: 1, of: 6, policy: 'none' })
  })

  it('says whether fewer views will do', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch')
    const own = new FlowersClient({ baseUrl: service.url, token: 'client-1' })
    await own.classify(await picture('#ff0000'), { tta: 'exact', allowStepDown: true })
    const [request] = fetched.mock.calls[0]!
    fetched.mockRestore()
    expect((request as Request).url).toMatch(/\/classify\?tta=exact&allow_step_down=true$/)
  })

  it('gives an answer or a problem for each of several images', async () => {
    const [first, second] = await client.classifyAll([await picture('#0000ff'), new Blob(['no image'])])
    expect(first).toMatchObject({ set: ['blue'] })
    expect(second).toMatchObject({ code: 'IMAGE_UNSUPPORTED' })
    expect(await client.classifyAll([await picture('#00ff00')])).toMatchObject([{ set: ['green'] }])
  })

  it('shows where the model looked, for the classes that are named', async () => {
    const { maps, height, width } = await client.explain(await picture('#ff0000'), { labels: ['blue', 'red'] })
    expect(maps.map(({ label }) => label)).toEqual(['blue', 'red'])
    expect(maps[1]!.values).toHaveLength(height * width)
    expect(Math.min(...maps[1]!.values)).toBeGreaterThan(Math.max(...maps[0]!.values))
    await expect(client.explain(await picture('#ff0000'), { labels: ['oak'] })).rejects.toMatchObject({
      problem: { code: 'SERVICE_PARAMETER' },
    })
    const [best] = (await client.explain(await picture('#00ff00'))).maps
    expect(best!.label).toBe('green')
  })

  it('rejects with the problem of a refusal', async () => {
    const broken = client.classify(new Blob(['no image']))
    await expect(broken).rejects.toThrow(ProblemError)
    await expect(broken).rejects.toMatchObject({
      problem: { status: 415, code: 'IMAGE_UNSUPPORTED' },
      retryAfter: null,
    })
    await expect(client.classify(await picture('red'), { timeoutMs: 0 })).rejects.toMatchObject({
      problem: { code: 'SERVICE_PARAMETER' },
    })
    const stranger = new FlowersClient({ baseUrl: service.url })
    await expect(stranger.classify(await picture('red'))).rejects.toMatchObject({
      problem: { code: 'SERVICE_UNAUTHORIZED' },
    })
  })

  it('ends a request by a signal', async () => {
    const signal = AbortSignal.abort()
    await expect(client.classify(await picture('red'), { signal })).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('asks every other route by the types of the document', async () => {
    const { data } = await client.http.GET('/v2/models/{name}', { params: { path: { name: 'tiny' } } })
    expect(data?.inputs.map(({ name }) => name)).toEqual(['pixel_values', 'image'])
    const { error, response } = await client.http.GET('/v2/models/{name}', { params: { path: { name: 'oak' } } })
    expect(response.status).toBe(404)
    expect(error?.error).toMatch(/^MODEL_MISSING: /)
  })
})
