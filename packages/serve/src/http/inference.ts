import type { ViewPolicy } from '@flowers/shared/model/views'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { Classification, Timings } from '../engine/answers.ts'
import type { Classifier, Question, RequestContext } from '../engine/classifier.ts'
import type { Engine } from '../engine/models.ts'
import type { Instruments } from '../observe/instruments.ts'
import { Stopwatch } from '../observe/stopwatch.ts'
import { ClientGone, Dropped, type ProblemCode } from '../errors.ts'
import { deadline, secondsLeft, untilOver } from './deadline.ts'
import { toFlowersError } from './errors.ts'
import { upload, type UploadLimits } from './upload.ts'
import type { UploadMemory } from './upload-memory.ts'

export interface InferenceOptions {
  readonly engine: Engine
  readonly instruments: Instruments
  readonly uploads: UploadMemory
  readonly config: Config
}

/** Codes that every route that asks a model may be refused with. */
export const inferenceErrors = [
  'IMAGE_EMPTY',
  'MODEL_MISSING',
  'MODEL_UNLOADED',
  'SERVICE_SLOW_REQUEST',
  'SERVICE_TOO_LARGE',
  'IMAGE_TOO_LARGE',
  'SERVICE_MEDIA_TYPE',
  'IMAGE_UNSUPPORTED',
  'IMAGE_BROKEN',
  'IMAGE_SLOW',
  'SERVICE_NOT_READY',
  'SERVICE_OVERLOADED',
  'SERVICE_DEADLINE_SHORT',
  'SERVICE_WORKER_LOST',
  'SERVICE_TOO_LATE',
] as const satisfies readonly ProblemCode[]

/** What the routes have in common that ask a model: `/classify`, `/explain` and `/v2/models/.../infer`. */
export class Inference {
  readonly limits: UploadLimits
  readonly #options: InferenceOptions

  /** `images`: at most as many in one request. */
  constructor(options: InferenceOptions, images: number) {
    this.#options = options
    this.limits = { bytes: options.config.bodyLimitMb * 1e6, memory: options.uploads, images }
  }

  /**
   * Gives the requests of this scope a deadline and a body that is held within limits. What cannot be answered is refused
   * before the body is read: by `check`, and when the queue has no room.
   */
  async install(app: FastifyInstance, check: (request: FastifyRequest) => void): Promise<void> {
    const { engine, instruments, config } = this.#options
    app.addHook('onRequest', (request, _reply, done) => {
      check(request)
      this.assertRoom()
      done()
    })
    await app.register(deadline, { defaultMs: config.defaultDeadlineMs, closing: engine.closing, instruments })
    await app.register(upload, this.limits)
  }

  /** Throws SERVICE_NOT_READY or SERVICE_OVERLOADED when no image is taken now. */
  assertRoom(): void {
    this.#options.engine.assertRoom(1)
  }

  /** The model of this name, or the default. Rejects as `Engine.classifier` does, or as the request that is over. */
  model(request: FastifyRequest, name: string | undefined): Promise<Classifier> {
    return untilOver(request, this.#options.engine.classifier(name))
  }

  /** The policy of a request that asks for `asked`: else that of the settings, else that of the model. */
  policy({ manifest }: Classifier, asked: ViewPolicy | undefined): ViewPolicy {
    return asked ?? this.#options.config.views ?? manifest.viewPolicy
  }

  /** What the engine is to know of a request. */
  context(request: FastifyRequest): RequestContext {
    return {
      seconds: secondsLeft(request),
      signal: request.work.signal,
      watch: () => new Stopwatch(this.#options.instruments, request),
    }
  }

  /** Classifies images until the deadline, and counts how each went. Throws and rejects as `Classifier.classify` does. */
  classify(
    request: FastifyRequest,
    classifier: Classifier,
    images: readonly Uint8Array[],
    question: Question,
  ): Promise<Classification>[] {
    return classifier
      .classify(images, question, this.context(request))
      .map((answer) => this.#counted(untilOver(request, answer)))
  }

  async #counted(answer: Promise<Classification>): Promise<Classification> {
    const { images } = this.#options.instruments
    try {
      const { abstain } = await answer
      images.inc({ result: abstain ? 'abstained' : 'ok' })
    } catch (error) {
      images.inc({ result: resultOf(error) })
    }
    return answer
  }
}

function resultOf(error: unknown): string {
  if (error instanceof ClientGone) return 'gone'
  return error instanceof Dropped ? 'dropped' : toFlowersError(error).code
}

/** Tells in `Server-Timing` how long the stages of the only image of a request took. */
export function tellStages(request: FastifyRequest, { decode, queue, infer }: Timings): void {
  request.stageTimes = { decode, queue, infer }
}

/** Milliseconds as they are answered: two digits after the point. */
export function roundAll<T extends { readonly [name in keyof T]: number }>(values: T): T {
  return Object.fromEntries(
    Object.entries<number>(values).map(([name, value]) => [name, Math.round(value * 100) / 100]),
  ) as T
}
