import { afterAll, beforeAll, expect, it } from 'vitest'
import { listen, type RunningService } from '../testing/service.ts'

let service: RunningService

beforeAll(async () => (service = await listen({ FLOWERS_BODY_LIMIT_MB: '7' })))
afterAll(() => service.close())

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${service.url}${path}`, { headers: { accept: 'text/html,*/*;q=0.8', ...headers } })

/** Paths of the files that the page names. */
async function parts(): Promise<string[]> {
  const text = await (await get('/')).text()
  return [...new Set([...text.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path]) => path!))]
}

it('is a page for a browser, with the limit of this service, and a few lines for a terminal', async () => {
  const page = await get('/')
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('vary')).toBe('accept')
  expect(await page.text()).toContain('<html lang="en" data-limit-mb="7">')
  const text = await get('/', { accept: '*/*' })
  expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(await text.text()).toContain(`curl -F img=@rose.jpg ${service.url}/classify`)
})

it.each([
  ['text/html;q=0, */*', 'text/plain'],
  ['text/plain, text/html;q=0.5', 'text/plain'],
  ['TEXT/HTML', 'text/html'],
  ['image/png', 'text/plain'],
])('to Accept: %s it answers with %s', async (accept, type) => {
  expect((await get('/', { accept })).headers.get('content-type')).toBe(`${type}; charset=utf-8`)
  expect((await get('/docs/errors', { accept })).headers.get('content-type')).toBe(`${type}; charset=utf-8`)
})

it('may load only what this service has, and nothing may frame it', async () => {
  const response = await get('/')
  const policy = response.headers.get('content-security-policy')!
  expect(policy).toMatch(/^default-src 'none';/)
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
  const text = await response.text()
  expect(text).not.toMatch(/<style|style=|<script(?! type="module" src="\/page\/)|\son\w+=/)
  expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
})

it('is small, with what it loads under names that a browser may keep for ever', async () => {
  let bytes = (await (await get('/')).arrayBuffer()).byteLength
  const paths = await parts()
  expect(paths.map((path) => path.replace(/-[0-9a-f]{10}\./, '.'))).toEqual(
    expect.arrayContaining(['/page/main.js', '/page/style.css', '/page/icon.svg', '/page/daisy.webp']),
  )
  for (const path of paths) {
    const response = await get(path)
    expect([path, response.status]).toEqual([path, 200])
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('content-type')).not.toBe('application/octet-stream')
    bytes += (await response.arrayBuffer()).byteLength
  }
  expect(bytes).toBeLessThan(100_000)
})

it('is sent again only when it has changed', async () => {
  for (const path of ['/', ...(await parts()).slice(0, 2)]) {
    const etag = (await get(path)).headers.get('etag')!
    const known = await get(path, { 'if-none-match': `"other", W/${etag}` })
    expect([path, known.status, await known.text()]).toEqual([path, 304, ''])
    expect(known.headers.get('etag')).toBe(etag)
    expect((await get(path, { 'if-none-match': '"other"' })).status).toBe(200)
  }
  expect((await get('/')).headers.get('cache-control')).toBe('no-cache')
})

it('has no other files', async () => {
  for (const name of ['index.html', '.built', '..%2fpackage.json', 'toString']) {
    expect((await get(`/page/${name}`)).status).toBe(404)
  }
})
