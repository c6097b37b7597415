import { STATUS_CODES } from 'node:http'
import { problems, ServiceError, type ProblemCode } from '../errors.ts'
import { html, type Html } from '@flowers/shared/html'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sendPage } from './html.ts'
import type { Operation } from '../http/openapi/operation.ts'
import { referencePage } from '../http/openapi/page.ts'
import { routePlugin } from '../http/route-plugin.ts'
import { errorPages } from '../http/errors.ts'
import { varyByAccept } from '../http/vary.ts'

/** `GET /openapi.json`, the reference at `/docs`, and a page for each code of an error. */
export const docsRoutes = routePlugin('docs', addDocs, '@fastify/accepts')

function addDocs(app: FastifyInstance): void {
  const open = (operation: Operation) => ({ config: { access: 'open', operation } as const })
  // Made once, so that a client that asks again and again and reads nothing costs neither time nor memory.
  let text: Buffer | undefined
  app.get('/openapi.json', open(documentOperation), (_request, reply) => {
    text ??= Buffer.from(JSON.stringify(app.openapi()))
    return reply.type('application/json; charset=utf-8').send(text)
  })
  app.get('/docs', open(pageOperation('reference', 'This reference as a page')), (_request, reply) => {
    const document = app.openapi()
    return sendPage(reply, `${document.info.title}: reference`, referencePage(document))
  })
  app.get(errorPages, open(pageOperation('errors', 'What each code of an error means')), (request, reply) =>
    send(request, reply, 'Errors', errorsText(), errorsPage()),
  )
  const one = pageOperation('error', 'What one code of an error means', ['SERVICE_NOT_FOUND'])
  app.get<{ Params: { code: string } }>(`${errorPages}/:code`, open(one), (request, reply) => {
    const { code } = request.params
    if (!Object.hasOwn(problems, code)) throw new ServiceError('SERVICE_NOT_FOUND', 'There is no error of this code.')
    const known = code as ProblemCode
    return send(
      request,
      reply,
      known,
      errorText(known),
      html`${errorPage(known, 'h1')}
        <p><a href="${errorPages}">All errors</a></p>`,
    )
  })
}

const documentOperation: Operation = {
  id: 'openapi',
  tag: 'Documentation',
  summary: 'This reference as an OpenAPI 3.1 document',
  answer: { 'application/json': 'binary' },
  errors: [],
}

function pageOperation(id: string, summary: string, errors: readonly ProblemCode[] = []): Operation {
  const answer =
    id === 'reference' ? ({ 'text/html': 'text' } as const) : ({ 'text/html': 'text', 'text/plain': 'text' } as const)
  return { id, tag: 'Documentation', summary, answer, errors }
}

/** Sends a page where the client prefers HTML, and text otherwise. */
function send(request: FastifyRequest, reply: FastifyReply, title: string, text: string, page: Html): FastifyReply {
  varyByAccept(reply)
  if (request.type(['text/plain', 'text/html']) === 'text/html') return sendPage(reply, `Flowers: ${title}`, page)
  return reply.type('text/plain; charset=utf-8').send(text)
}

const clientCodes = Object.keys(problems) as ProblemCode[]

function errorText(code: ProblemCode): string {
  const { status, title, remedy } = problems[code]
  return `${code} (${status} ${STATUS_CODES[status]})\n  ${title}. ${remedy}\n`
}

function errorsText(): string {
  return `Errors of this service, as application/problem+json.\n\n${clientCodes.map(errorText).join('\n')}`
}

function errorPage(code: ProblemCode, heading: 'h1' | 'h3'): Html {
  const { status, title, remedy } = problems[code]
  const name = html`<code>${code}</code>`
  return html`${heading === 'h1' ? html`<h1>${name}</h1>` : html`<h3 id="${code}"><a href="${errorPages}/${code}">${name}</a></h3>`}
    <p><strong>${title}</strong> (${status} ${STATUS_CODES[status]!}). ${remedy}</p> `
}

function errorsPage(): Html {
  return html`<h1>Errors</h1>
    <p>
      Every refusal is <code>application/problem+json</code> (RFC 9457) with one of these codes; below
      <code>/v2</code> it is <code>{"error": "CODE: ..."}</code>. The <a href="/docs">reference</a> tells which route
      answers with which.
    </p>
    ${clientCodes.map((code) => errorPage(code, 'h3'))}`
}
