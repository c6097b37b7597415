import { afterAll, beforeAll, expect, it } from 'vitest'
import { form, solid } from '../testing/pictures.ts'
import { startService, type RunningService } from '../testing/service.ts'

let service: RunningService

beforeAll(async () => (service = await startService()))
afterAll(() => service.close())

it('times every answer', async () => {
  for (const path of ['/', '/livez', '/metrics', '/v2', '/docs', '/classify', '/nowhere']) {
    const response = await fetch(`${service.url}${path}`)
    expect([path, response.headers.get('server-timing')]).toEqual([
      path,
      expect.stringMatching(/^total;dur=\d+(\.\d+)?$/),
    ])
  }
})

it('times the stages of an image', async () => {
  const response = await fetch(`${service.url}/classify`, { method: 'POST', body: form(await solid('red')) })
  expect(response.headers.get('server-timing')).toMatch(
    /^decode;dur=[\d.]+, queue;dur=[\d.]+, infer;dur=[\d.]+, total;dur=[\d.]+$/,
  )
})
