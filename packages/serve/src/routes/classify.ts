import { viewPolicies } from '@flowers/shared/model/views'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { answerImage } from '../http/answering.ts'
import type { Config } from '../config.ts'
import type { Engine } from '../engine/models.ts'
import type { Instruments } from '../observe/instruments.ts'
import type { Operation } from '../http/openapi/operation.ts'
import { deadline, secondsLeft, untilOver } from '../http/deadline.ts'
import { toFlowersError, toProblem } from '../http/errors.ts'
import { routePlugin } from '../http/route-plugin.ts'
import { readImages, upload } from '../http/upload.ts'
import type { UploadMemory } from '../http/upload-memory.ts'
import type { UploadLimits } from '../http/upload.ts'
import { classifyAnswer, classifyAnswers, classifyQuery } from '../http/schemas.ts'
import type { ClassifyAnswer, Problem } from '../http/schemas.ts'
import { ClientGone } from '../errors.ts'
import { queryReader } from './query.ts'

const readQuery = queryReader(classifyQuery, {
  model: 'the name of one model',
  tta: `one of ${viewPolicies.join(', ')}`,
  top_k: 'an integer from 1 to 9999',
  allow_step_down: 'true or false',
  details: 'true or false',
})

/** The body of a request with at most so many images. */
export function imageBody(images: number): NonNullable<Operation['body']> {
  const content = {
    'multipart/form-data': { images },
    'image/*': 'binary',
    'application/octet-stream': 'binary',
  } as const
  return { required: true, content }
}

/** `POST /explain` refuses the same. */
export const classifyOperation: Operation = {
  id: 'classify',
  tag: 'Classify',
  summary: 'Names the flower in one or several images',
  about:
    'Several images in one form are answered with a list, in order; each holds an answer or a problem. JPEG, PNG, WebP, AVIF, TIFF and GIF are told by their content.',
  query: classifyQuery,
  headers: ['X-Request-Timeout-Ms'],
  answer: { 'application/json': classifyAnswer.or(classifyAnswers) },
  errors: [
    'SERVICE_MALFORMED',
    'SERVICE_PARAMETER',
    'SERVICE_NO_IMAGE',
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
  ],
}

/** `POST /classify`: see README.md for the request and the answer. */
export const classifyRoutes = routePlugin('classify', addClassify)

async function addClassify(
  app: FastifyInstance,
  options: { engine: Engine; instruments: Instruments; uploads: UploadMemory; config: Config },
): Promise<void> {
  const { engine, instruments, uploads, config } = options
  const limits: UploadLimits = { bytes: config.bodyLimitMb * 1e6, memory: uploads, images: config.imagesLimit }
  // What cannot be answered is refused before the body is read.
  app.addHook('onRequest', (request, _reply, done) => {
    readQuery(request)
    engine.scheduler.assertRoom(1)
    done()
  })
  await app.register(deadline, { defaultMs: config.defaultDeadlineMs, closing: engine.closing, instruments })
  await app.register(upload, limits)

  async function classify(
    request: FastifyRequest,
  ): Promise<ClassifyAnswer | { results: (ClassifyAnswer | Problem)[] }> {
    const query = readQuery(request)
    const { images, several } = await readImages(request, limits)
    const classifier = await untilOver(request, engine.classifier(query.model))
    const { scheduler } = engine
    const asked = query.tta ?? config.views ?? classifier.manifest.viewPolicy
    const { tickets, policy } = classifier.admit(scheduler, {
      images: images.length,
      policies: classifier.policies(asked, query.allow_step_down ?? query.tta === undefined),
      seconds: secondsLeft(request),
    })
    const answers = images.map(async (image, index) => {
      const question = { policy, topK: query.top_k, details: query.details, ticket: tickets[index]! }
      const answer = await answerImage({ request, classifier, scheduler, instruments }, image, question)
      return { ...answer, timings: roundAll(answer.timings) }
    })
    if (several) return { results: await Promise.all(answers.map((answer) => answer.catch(problemOfPart))) }
    const answer = await answers[0]!
    const { total: _, ...stages } = answer.timings
    request.stageTimes = stages
    return answer
  }

  const operation = { ...classifyOperation, body: imageBody(limits.images) }
  app.post('/classify', { config: { operation } }, classify)
}

/** An image of several that failed is answered in its place; when the client left, nobody is answered. */
function problemOfPart(error: unknown): Problem {
  if (error instanceof ClientGone) throw error
  return toProblem(toFlowersError(error))
}

/** Milliseconds as they are answered: two digits after the point. */
export function roundAll<T extends { readonly [name in keyof T]: number }>(values: T): T {
  return Object.fromEntries(
    Object.entries<number>(values).map(([name, value]) => [name, Math.round(value * 100) / 100]),
  ) as T
}
