import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { form, solid } from '../testing/pictures.ts'
import { listen, startService, type RunningService } from '../testing/service.ts'

let service: RunningService

afterEach(() => service.close())

const open = ['/', '/livez', '/metrics', '/docs', '/docs/errors', '/openapi.json', '/v2/health/live']

async function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${service.url}${path}`, { method, headers })
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

describe('tokens', () => {
  it('opens administration to its token, what clients ask to the token of clients or of administration, the rest to everyone', async () => {
    service = await startService({ FLOWERS_TOKEN: 'client-1', FLOWERS_ADMIN_TOKEN: 'admin-1' })
    const picture = await solid('red')
    const classify = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${service.url}/classify`, { method: 'POST', body: form(picture), headers })
    for (const path of open) expect([path, (await ask('GET', path)).status]).toEqual([path, 200])
    expect((await ask('GET', '/nowhere')).status).toBe(404)

    const none = await classify({})
    expect(none.status).toBe(401)
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="flowers"')
    expect(await none.json()).toMatchObject({ code: 'SERVICE_UNAUTHORIZED' })
    for (const token of ['client-2', 'client-', 'client-11', 'null']) {
      const wrong = await classify(bearer(token))
      expect(wrong.status).toBe(401)
      expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="flowers", error="invalid_token"')
    }
    expect((await classify({ authorization: 'Basic client-1' })).status).toBe(401)
    expect((await classify(bearer('client-1'))).status).toBe(200)
    expect((await classify({ authorization: 'bearer admin-1' })).status).toBe(200)
    expect((await ask('GET', '/v2')).status).toBe(401)
    expect(await (await ask('GET', '/v2')).json()).toEqual({ error: expect.stringMatching(/^SERVICE_UNAUTHORIZED: /) })

    const load = async (headers: Record<string, string>): Promise<number> =>
      (await ask('POST', '/v2/repository/models/tiny/load', headers)).status
    expect(await load({})).toBe(401)
    expect(await load(bearer('admin-2'))).toBe(401)
    expect(await load(bearer('client-1'))).toBe(403)
    expect(await load(bearer('admin-1'))).toBe(200)
  })

  it('refuses administration where there is no token for it', async () => {
    service = await listen({})
    for (const headers of [{}, bearer('null'), bearer('')]) {
      const response = await ask('POST', '/v2/repository/models/tiny/unload', headers)
      expect(response.status).toBe(403)
      expect(await response.json()).toEqual({ error: expect.stringMatching(/^SERVICE_FORBIDDEN: /) })
    }
  })
})

describe('rate limit', () => {
  it('answers more requests of an address with 429 and Retry-After, probes and pages as ever', async () => {
    service = await listen({ FLOWERS_RATE_LIMIT: '3', FLOWERS_TRUSTED_PROXIES: '127.0.0.1', FLOWERS_TOKEN: 'client-1' })
    const from = (address: string): Promise<Response> =>
      ask('GET', '/v2', { ...bearer('client-1'), 'x-forwarded-for': address })
    for (let request = 0; request < 3; request++) expect((await from('10.1.1.1')).status).toBe(200)
    const limited = await from('10.1.1.1')
    expect(limited.status).toBe(429)
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(Number(limited.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect(await limited.json()).toEqual({ error: expect.stringMatching(/^SERVICE_RATE_LIMITED: .*3 requests/) })
    expect((await from('10.1.1.2')).status).toBe(200)
    for (const path of [...open, ...open]) {
      expect([path, (await ask('GET', path)).status]).toEqual([path, 200])
    }
  })

  it('counts guesses of a token', async () => {
    service = await listen({ FLOWERS_RATE_LIMIT: '2', FLOWERS_TOKEN: 'client-1' })
    const statuses: number[] = []
    for (const token of ['a', 'b', 'client-1']) statuses.push((await ask('POST', '/classify', bearer(token))).status)
    expect(statuses).toEqual([401, 401, 429])
  })

  it('takes the address of the connection unless a proxy is trusted', async () => {
    service = await listen({ FLOWERS_RATE_LIMIT: '1' })
    const statuses: number[] = []
    for (const address of ['10.1.1.1', '10.1.1.2']) {
      statuses.push((await ask('GET', '/v2', { 'x-forwarded-for': address })).status)
    }
    expect(statuses).toEqual([200, 429])
  })
})

describe('CORS', () => {
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }

  it('is off by default', async () => {
    service = await listen({})
    const response = await ask('GET', '/livez', { origin: 'https://flowers.example' })
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect((await ask('OPTIONS', '/classify', { origin: 'https://flowers.example', ...preflight })).status).toBe(405)
  })

  it('lets the origins named ask, with a token, and no others', async () => {
    service = await listen({
      FLOWERS_CORS_ORIGINS: 'https://flowers.example,http://localhost:8080',
      FLOWERS_TOKEN: 'client-1',
      FLOWERS_RATE_LIMIT: '1',
    })
    for (let request = 0; request < 3; request++) {
      const allowed = await ask('OPTIONS', '/classify', { origin: 'http://localhost:8080', ...preflight })
      expect(allowed.status).toBe(204)
      expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:8080')
      expect(allowed.headers.get('access-control-allow-headers')).toBe('authorization')
    }
    const other = await ask('GET', '/livez', { origin: 'https://other.example' })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
    const refused = await ask('POST', '/classify', { origin: 'https://flowers.example' })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://flowers.example')
    expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After')
    expect((await ask('DELETE', '/classify', {})).status).toBe(405)
  })

  it('lets pages of other origins read every refusal', async () => {
    service = await listen({ FLOWERS_CORS_ORIGINS: 'https://flowers.example' })
    const headers = { origin: 'https://flowers.example' }
    const refusals: (readonly [string, string, number])[] = [
      ['GET', '/nowhere', 404],
      ['DELETE', '/classify', 405],
      ['GET', '/%ZZ', 400],
      ['GET', '/v2/models/%E0%A4%A', 400],
    ]
    for (const [method, path, status] of refusals) {
      const refused = await ask(method, path, headers)
      expect([path, refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
        path,
        status,
        headers.origin,
      ])
    }
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    socket.write(
      `GET /livez HTTP/1.1\r\nhost: x\r\norigin: ${headers.origin}\r\nexpect: cake\r\nconnection: close\r\n\r\n`,
    )
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await once(socket, 'end')
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toContain(`access-control-allow-origin: ${headers.origin}`)
  })
})
