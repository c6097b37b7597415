import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explainAnswer, type ExplainAnswer } from '../http/schemas.ts'
import { form, solid } from '../testing/pictures.ts'
import { startService, type RunningService } from '../testing/service.ts'

let service: RunningService
/** Red on the left, blue on the right. */
let halves: Buffer

beforeAll(async () => {
  service = await startService()
  halves = await sharp(Uint8Array.of(230, 0, 0, 0, 0, 200), { raw: { width: 2, height: 1, channels: 3 } })
    .resize(64, 64, { fit: 'fill', kernel: 'nearest' })
    .png()
    .toBuffer()
})
afterAll(() => service.close())

const post = (query: string, picture: Uint8Array, accept?: string): Promise<Response> =>
  fetch(`${service.url}/explain${query}`, {
    method: 'POST',
    body: Uint8Array.from(picture),
    headers: { 'content-type': 'image/png', ...(accept === undefined ? {} : { accept }) },
  })

async function explain(query: string, picture: Uint8Array): Promise<ExplainAnswer> {
  const response = await post(query, picture)
  expect(response.status).toBe(200)
  const parsed = explainAnswer.safeParse(await response.json())
  expect(parsed.error).toBeUndefined()
  return parsed.data!
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

describe('POST /explain', () => {
  it('tells for the best class what each place adds to its logit', async () => {
    const answer = await explain('', halves)
    expect(answer).toMatchObject({ model: { name: 'tiny', version: 1 }, crop: 1, height: 2, width: 2 })
    expect(answer.maps.map(({ label, index }) => [label, index])).toEqual([['red', 0]])
    const [{ values, logit }] = answer.maps as [ExplainAnswer['maps'][number]]
    const [upperLeft, upperRight, lowerLeft, lowerRight] = values as [number, number, number, number]
    expect(Math.min(upperLeft, lowerLeft)).toBeGreaterThan(Math.max(upperRight, lowerRight))
    // The test model adds no constant.
    expect(sum(values)).toBeCloseTo(logit, 2)
  })

  it('tells it for the classes that are named, in their order', async () => {
    const { maps } = await explain('?label=blue&label=red', halves)
    expect(maps.map(({ label }) => label)).toEqual(['blue', 'red'])
    const [left, right] = maps[0]!.values as [number, number]
    expect(right).toBeGreaterThan(left)
    expect(sum(maps[0]!.values)).toBeCloseTo(maps[0]!.logit, 2)
  })

  it('is a picture, dark where the model did not look, for a client that prefers one', async () => {
    const response = await post('?label=blue', halves, 'image/png')
    expect(response.headers.get('content-type')).toBe('image/png')
    expect(response.headers.get('vary')).toBe('accept')
    const { data, info } = await sharp(await response.arrayBuffer())
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([32, 32])
    const redAt = (x: number): number => data[(16 * 32 + x) * 3]!
    const blueAt = (x: number): number => data[(16 * 32 + x) * 3 + 2]!
    expect(redAt(2)).toBeLessThan(120)
    expect(blueAt(29)).toBeGreaterThan(blueAt(2) + 60)
  })

  it.each([
    ['?label=oak', 400, 'SERVICE_PARAMETER'],
    ['?top_k=3', 400, 'SERVICE_PARAMETER'],
    ['?model=slow', 404, 'MODEL_WITHOUT_MAPS'],
    ['?model=oak', 404, 'MODEL_MISSING'],
  ])('refuses %s with %d %s', async (query, status, code) => {
    const response = await post(query, halves)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ code })
  })

  it('explains one image at a time, and only images', async () => {
    const red = await solid('red')
    const two = await fetch(`${service.url}/explain`, { method: 'POST', body: form(red, red) })
    expect([two.status, await two.json()]).toMatchObject([413, { code: 'SERVICE_TOO_LARGE' }])
    const none = await post('', Buffer.from('no image'))
    expect([none.status, await none.json()]).toMatchObject([415, { code: 'IMAGE_UNSUPPORTED' }])
    expect(await service.metric('flowers_queue_depth')).toBe(0)
  })
})

describe('the picture', () => {
  it.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['image/png', 'image/png'],
    ['image/*', 'image/png'],
    ['image/avif,image/webp,image/*,*/*;q=0.8', 'image/png'],
    ['application/json, image/png', 'application/json'],
    ['image/png;q=0.5, application/json', 'application/json'],
    ['application/json;q=0.5, IMAGE/PNG', 'image/png'],
    ['image/png;q=0', 'application/json'],
    ['text/html', 'application/json'],
  ])('with Accept: %s the answer is %s', async (accept, type) => {
    const response = await post('', halves, accept)
    expect(response.headers.get('content-type')).toContain(type)
    expect(response.headers.get('vary')).toBe('accept')
  })
})
