import createHttp from 'openapi-fetch'
import type { Client } from 'openapi-fetch'
import type { components, paths } from './openapi.ts'

export type ClassifyAnswer = components['schemas']['ClassifyAnswer']
export type ExplainAnswer = components['schemas']['ExplainAnswer']
export type Problem = components['schemas']['Problem']
type ClassifyQuery = NonNullable<paths['/classify']['post']['parameters']['query']>

/** A problem without a code: of a proxy or whatever else answered in the place of the service. `type` is `about:blank`. */
export type ForeignProblem = Omit<Problem, 'code'> & { readonly code: null }

/** A refusal of the service (RFC 9457), or of what stands before it. */
export class ProblemError extends Error {
  readonly problem: Problem | ForeignProblem
  /** Seconds to wait before the next attempt, where the service names them. */
  readonly retryAfter: number | null

  constructor(problem: Problem | ForeignProblem, retryAfter: number | null) {
    super(problem.detail)
    this.name = 'ProblemError'
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

export interface ClientOptions {
  /** Where the service is, such as `http://localhost:3000`. */
  readonly baseUrl: string
  /** `FLOWERS_TOKEN` of the service, where it has one. */
  readonly token?: string
}

export interface ClassifyOptions {
  readonly model?: ClassifyQuery['model']
  readonly tta?: ClassifyQuery['tta']
  /** Whether fewer views may be asked under load; without it only where `tta` is not given. */
  readonly allowStepDown?: ClassifyQuery['allow_step_down']
  readonly topK?: ClassifyQuery['top_k']
  /** Also tell what each view said. */
  readonly details?: ClassifyQuery['details']
  /** Milliseconds after which the service may answer with a 504 instead. */
  readonly timeoutMs?: number
  /** Ends the request from here; the service stops its work. */
  readonly signal?: AbortSignal
}

export interface ExplainOptions extends Pick<ClassifyOptions, 'model' | 'timeoutMs' | 'signal'> {
  /** Classes to explain; without them the best. */
  readonly labels?: readonly string[]
}

/**
 * Asks a service. Every call rejects with ProblemError when it is refused, by the service or a proxy before it, and with
 * the error of `fetch` (a TypeError) without a connection or without a body in the answer.
 */
export class FlowersClient {
  /** Every other route of the service, typed by its OpenAPI document. */
  readonly http: Client<paths>

  constructor({ baseUrl, token }: ClientOptions) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    this.http = createHttp<paths>({ baseUrl, headers })
  }

  /** Names the flower in one image file. */
  async classify(image: Blob, options: ClassifyOptions = {}): Promise<ClassifyAnswer> {
    const answer = await this.#classify([image], options)
    // One image is answered by itself, several by a list.
    return answer as ClassifyAnswer
  }

  /** Names the flowers in several image files: an answer or a problem for each, in order. */
  async classifyAll(images: readonly Blob[], options: ClassifyOptions = {}): Promise<(ClassifyAnswer | Problem)[]> {
    const answer = await this.#classify(images, options)
    return 'results' in answer ? answer.results : [answer]
  }

  /** Where the model looked in one image file. */
  async explain(image: Blob, { labels = [], model, timeoutMs, signal }: ExplainOptions = {}): Promise<ExplainAnswer> {
    const { data, error, response } = await this.http.POST('/explain', {
      params: {
        query: { ...withoutUndefined({ model }), label: [...labels] },
        header: withoutUndefined({ 'X-Request-Timeout-Ms': timeoutMs }),
      },
      body: { img: [] },
      bodySerializer: () => formOf([image]),
      headers: { accept: 'application/json' },
      ...(signal ? { signal } : {}),
    })
    // The picture, which the document names as well, was not asked for.
    return answerOf(data, error, response) as ExplainAnswer
  }

  async #classify(
    images: readonly Blob[],
    { model, tta, allowStepDown, topK, details, timeoutMs, signal }: ClassifyOptions,
  ): Promise<ClassifyAnswer | components['schemas']['ClassifyAnswers']> {
    const { data, error, response } = await this.http.POST('/classify', {
      params: {
        query: withoutUndefined({ model, tta, allow_step_down: allowStepDown, top_k: topK, details }),
        header: withoutUndefined({ 'X-Request-Timeout-Ms': timeoutMs }),
      },
      body: { img: [] },
      bodySerializer: () => formOf(images),
      ...(signal ? { signal } : {}),
    })
    return answerOf(data, error, response)
  }
}

function formOf(images: readonly Blob[]): FormData {
  const form = new FormData()
  for (const image of images) form.append('img', image, 'image')
  return form
}

/** The body of an answer. Throws ProblemError for a refusal, whoever sent it, and TypeError where there is no body. */
function answerOf<T>(data: T | undefined, error: unknown, response: Response): T {
  if (!response.ok) throw new ProblemError(problemOf(error, response), secondsOf(response.headers.get('retry-after')))
  if (data === undefined) throw new TypeError('The answer is empty.')
  return data
}

function problemOf(body: unknown, { status, statusText }: Response): Problem | ForeignProblem {
  if (isProblem(body)) return body
  const title = statusText || `HTTP ${status}`
  return { type: 'about:blank', title, status, detail: `HTTP ${status}, which is not of the service.`, code: null }
}

/** A proxy may answer with JSON as well, of another form. */
function isProblem(body: unknown): body is Problem {
  if (typeof body !== 'object' || body === null) return false
  const { title, status, detail, code } = body as Partial<Record<string, unknown>>
  return [title, detail, code].every((text) => typeof text === 'string') && typeof status === 'number'
}

/** A proxy may name a date instead, of its clock. */
function secondsOf(retryAfter: string | null): number | null {
  return retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
