import createHttp from 'openapi-fetch'
import type { Client } from 'openapi-fetch'
import type { components, paths } from './openapi.ts'

export type ClassifyAnswer = components['schemas']['ClassifyAnswer']
export type ExplainAnswer = components['schemas']['ExplainAnswer']
export type Problem = components['schemas']['Problem']
type ClassifyQuery = NonNullable<paths['/classify']['post']['parameters']['query']>

/** A refusal of the service (RFC 9457). */
export class ProblemError extends Error {
  readonly problem: Problem
  /** Seconds to wait before the next attempt, where the service names them. */
  readonly retryAfter: number | null

  constructor(problem: Problem, retryAfter: number | null) {
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

/** Asks a service. Every call rejects with ProblemError when it is refused, and with that of `fetch` without a connection. */
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
    if (error) throw problemOf(error, response)
    // The picture, which the document names as well, was not asked for.
    return data as ExplainAnswer
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
    if (data) return data
    throw problemOf(error, response)
  }
}

function formOf(images: readonly Blob[]): FormData {
  const form = new FormData()
  for (const image of images) form.append('img', image, 'image')
  return form
}

function problemOf(problem: Problem, response: Response): ProblemError {
  const seconds = response.headers.get('retry-after')
  return new ProblemError(problem, seconds === null ? null : Number(seconds))
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
