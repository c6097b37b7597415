import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'

export interface Question {
  /** The path with its query. */
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Uint8Array
  /** Milliseconds after which the client leaves without an answer. */
  readonly leaveMs?: number
}

export interface Reply {
  /** Of the answer, or why there is none: `left`, or the code of the connection's error, such as ECONNREFUSED. */
  readonly status: number | string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Connections without a limit, kept open: a request never waits for one that is in use. */
export function connections(): Agent {
  return new Agent({ keepAlive: true, maxSockets: Infinity })
}

/** Asks once, never again; resolves in any case. Costs less than `fetch`: the clients share the cores with the service. */
export function ask(
  url: string,
  { path, method = 'GET', headers = {}, body, leaveMs }: Question,
  agent: Agent,
): Promise<Reply> {
  return new Promise((resolve) => {
    const none = (status: string): void => resolve({ status, headers: {}, body: '' })
    const length = body ? { 'content-length': body.length } : {}
    const sent = request(new URL(path, url), { method, agent, headers: { ...headers, ...length } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
      response.once('error', (error: NodeJS.ErrnoException) => none(error.code ?? error.message))
    })
    sent.once('error', (error: NodeJS.ErrnoException) => none(error.code ?? error.message))
    if (leaveMs !== undefined) {
      const timer = setTimeout(() => {
        none('left')
        sent.destroy()
      }, leaveMs)
      sent.once('close', () => clearTimeout(timer))
    }
    sent.end(body)
  })
}
