import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Operation } from '../http/openapi/operation.ts'
import { routePlugin } from '../http/route-plugin.ts'
import { ServiceError } from '../errors.ts'
import { varyByAccept } from '../http/vary.ts'

/** The output of packages/page/build.mjs. */
const folder = join(dirname(createRequire(import.meta.url).resolve('@flowers/page/package.json')), 'dist')

/** Media types of the files that the page loads. */
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
}

/** The page loads everything from this service; it shows chosen pictures from memory (blob:). */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

interface PageFile {
  readonly content: Buffer
  readonly type: string
  readonly etag: string
}

/**
 * `GET /`: the page for a browser, a few lines of text for a terminal. `GET /page/<file>`: what the page loads, under
 * names that change with their content, so that a browser may keep them for ever.
 */
export const pageRoutes = routePlugin('page', addPage, '@fastify/accepts')

function addPage(app: FastifyInstance, options: { version: string; bodyLimitMb: number }): void {
  const { version, bodyLimitMb } = options
  const files = readFiles()
  const built = files.get('index.html')
  if (!built) app.log.warn('the page is not built (npm run build does it): GET / is text only')
  const page =
    built &&
    describe(
      Buffer.from(built.content.toString().replace(/data-limit-mb="\d+"/, `data-limit-mb="${bodyLimitMb}"`)),
      built.type,
    )
  files.delete('index.html')

  app.get('/', { config: { access: 'open', operation: home } }, (request, reply) => {
    varyByAccept(reply)
    if (page && request.type(['text/plain', 'text/html']) === 'text/html') return send(request, reply, page, 'no-cache')
    return reply.type('text/plain; charset=utf-8').send(homeText(version, `${request.protocol}://${request.host}`))
  })
  app.get<{ Params: { file: string } }>(
    '/page/:file',
    { config: { access: 'open', operation: part } },
    (request, reply) => {
      const file = files.get(request.params.file)
      if (!file) throw new ServiceError('SERVICE_NOT_FOUND', 'The page has no such file.')
      return send(request, reply, file, 'public, max-age=31536000, immutable')
    },
  )
}

/** The built files by name; none when the page is not built. */
function readFiles(): Map<string, PageFile> {
  const files = new Map<string, PageFile>()
  if (!existsSync(folder)) return files
  for (const name of readdirSync(folder)) {
    const type = types[extname(name)]
    if (type) files.set(name, describe(readFileSync(join(folder, name)), type))
  }
  return files
}

function describe(content: Buffer, type: string): PageFile {
  return { content, type, etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"` }
}

function send(request: FastifyRequest, reply: FastifyReply, file: PageFile, caching: string): FastifyReply {
  void reply.headers({ ...headers, 'cache-control': caching, etag: file.etag })
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  if (known.includes(file.etag) || known.includes('*')) return reply.code(304).send()
  return reply.type(file.type).send(file.content)
}

function homeText(version: string, origin: string): string {
  return [
    `Flowers ${version}: names the flower in a photo.`,
    '',
    `  curl -F img=@rose.jpg ${origin}/classify`,
    '',
    'POST /classify?model=&tta=full|exact|fast|none&top_k=5&details=false   one or several images in the field img, or one as the body',
    'POST /explain?model=&label=                              where the model looked: numbers, or a picture for Accept: image/png',
    'GET  /livez, /readyz                                     alive; ready to take work',
    'GET  /metrics                                            Prometheus',
    'GET  /docs, /openapi.json                                reference of all routes, as a page and for tools',
    'GET  /docs/errors                                        what each error means',
    'GET  /v2                                                 Open Inference Protocol',
    '',
  ].join('\n')
}

const home: Operation = {
  id: 'home',
  tag: 'Documentation',
  summary: 'The page for people; for a terminal what this is and how to ask it',
  answer: { 'text/html': 'text', 'text/plain': 'text' },
  errors: [],
}

const part: Operation = {
  id: 'pagePart',
  tag: 'Documentation',
  summary: 'What the page loads',
  answer: { 'text/css': 'text', 'text/javascript': 'text', 'image/svg+xml': 'text', 'image/webp': 'binary' },
  errors: ['SERVICE_NOT_FOUND'],
}
