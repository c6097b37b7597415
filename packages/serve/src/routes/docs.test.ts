import { createHash } from 'node:crypto'
import { problems } from '../errors.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenApi } from '../http/openapi/document.ts'
import { classifyAnswer, classifyAnswers, problem } from '../http/schemas.ts'
import { form, solid } from '../testing/pictures.ts'
import { startService, type RunningService } from '../testing/service.ts'

let service: RunningService

beforeAll(async () => (service = await startService()))
afterAll(() => service.close())

const page = async (path: string): Promise<{ response: Response; text: string }> => {
  const response = await fetch(`${service.url}${path}`, { headers: { accept: 'text/html,*/*;q=0.8' } })
  return { response, text: await response.text() }
}

describe('GET /openapi.json', () => {
  it('describes every route, with references that lead somewhere and names that occur once', async () => {
    const response = await fetch(`${service.url}/openapi.json`)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const document = (await response.json()) as OpenApi
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/', '/livez', '/readyz', '/metrics', '/classify', '/docs', '/docs/errors/{code}']),
    )
    const text = JSON.stringify(document)
    for (const [, id] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).toHaveProperty(id!)
    }
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((each) => each.operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has no parameter that the remedy of a wrong one does not name', () => {
    const operations = Object.values(service.app.openapi().paths).flatMap((methods) => Object.values(methods))
    const names = operations.flatMap(({ parameters }) =>
      parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
    )
    const { remedy } = problems.SERVICE_PARAMETER
    expect(names).toContain('label')
    expect([...new Set(names)].filter((name) => !new RegExp(`\\b${name}\\b`, 'i').test(remedy))).toEqual([])
  })

  it('names the parameters with their values', async () => {
    const parameters = service.app.openapi().paths['/classify']!['post']!.parameters
    expect(parameters.map(({ name, in: place, required }) => [name, place, required])).toEqual([
      ['model', 'query', false],
      ['tta', 'query', false],
      ['top_k', 'query', false],
      ['allow_step_down', 'query', false],
      ['details', 'query', false],
      ['X-Request-Timeout-Ms', 'header', false],
    ])
    expect(parameters[1]!.schema).toEqual({ type: 'string', enum: ['full', 'exact', 'fast', 'none'] })
    expect(parameters[2]!.schema).toEqual({ type: 'integer', minimum: 1, maximum: 9999, default: 5 })
    expect(parameters[3]!.schema).toEqual({ type: 'boolean' })
  })

  it('says for each operation which codes it may be refused with, by status', async () => {
    for (const methods of Object.values(service.app.openapi().paths)) {
      for (const operation of Object.values(methods)) {
        for (const [status, answer] of Object.entries(operation.responses)) {
          if (status === '200') continue
          const codes = answer.description.match(/[A-Z]+_[A-Z_]+|INTERNAL/g) ?? []
          expect(codes.length).toBeGreaterThan(0)
          for (const code of codes) expect(problems[code as keyof typeof problems].status).toBe(Number(status))
        }
      }
    }
  })

  it('has schemas that the answers fit', async () => {
    const ask = async (body: FormData): Promise<unknown> =>
      (await fetch(`${service.url}/classify`, { method: 'POST', body })).json()
    const red = await solid('red')
    const broken = Buffer.from('no image')
    expect(classifyAnswer.safeParse(await ask(form(red))).error).toBeUndefined()
    expect(classifyAnswers.safeParse(await ask(form(red, broken))).error).toBeUndefined()
    expect(problem.safeParse(await ask(form(broken))).error).toBeUndefined()
    expect(classifyAnswer.safeParse(await ask(form(broken))).success).toBe(false)
  })
})

describe('GET /docs', () => {
  it('shows every operation and schema, and asks no other host', async () => {
    const { response, text } = await page('/docs')
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const style = /<style>(.*)<\/style>/s.exec(text)![1]!
    const hash = createHash('sha256').update(style).digest('base64')
    expect(response.headers.get('content-security-policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}';`)
    const document = service.app.openapi()
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) expect(text).toContain(`<code>${method.toUpperCase()} ${path}</code>`)
    }
    const ids = new Set([...text.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id))
    for (const [, target] of text.matchAll(/href="#([\w-]+)"/g)) expect(ids).toContain(target)
    expect(text).not.toMatch(/(?:src|href|action)="(?:https?:)?\/\//)
    expect(text).not.toMatch(/<script|style=/)
    expect(text.length).toBeLessThan(100_000)
  })
})

describe('GET /docs/errors', () => {
  it('has a page for every code, where the type of a problem leads', async () => {
    const response = await fetch(`${service.url}/classify?tta=quick`, { method: 'POST' })
    const { type } = (await response.json()) as { type: string }
    for (const path of [type, ...Object.keys(problems).map((code) => `/docs/errors/${code}`)]) {
      const answer = await page(path)
      expect([path, answer.response.status]).toEqual([path, 200])
      expect(answer.text).toContain(`<h1><code>${path.split('/').at(-1)}</code></h1>`)
    }
  })

  it('links every code from one page, and is text for a terminal', async () => {
    const { text } = await page('/docs/errors')
    for (const code of ['IMAGE_BROKEN', 'SERVICE_TOO_LATE', 'MODEL_MISSING']) {
      expect(text).toContain(`<h3 id="${code}"><a href="/docs/errors/${code}">`)
    }
    const plain = await fetch(`${service.url}/docs/errors/IMAGE_BROKEN`)
    expect(plain.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await plain.text()).toContain(problems.IMAGE_BROKEN.remedy)
  })

  it('knows no other code', async () => {
    for (const code of ['OAK', 'constructor', '<b>']) {
      const { response, text } = await page(`/docs/errors/${encodeURIComponent(code)}`)
      expect(response.status).toBe(404)
      expect(text).toContain('SERVICE_NOT_FOUND')
    }
  })
})
