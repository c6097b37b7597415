import { FlowersError } from '@flowers/shared/errors'
import { viewPolicies } from '@flowers/shared/views'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Config } from '../config.ts'
import type { Classification, Classifier } from '../engine/classifier.ts'
import type { Engine } from '../engine/engine.ts'
import type { Ticket } from '../engine/scheduler.ts'
import type { Instruments } from '../instruments.ts'
import { installDeadline, untilOver } from '../plugins/deadline.ts'
import { toFlowersError, toProblem } from '../plugins/errors.ts'
import type { Problem } from '../plugins/errors.ts'
import { installUpload, readImages } from '../plugins/upload.ts'
import type { UploadLimits } from '../plugins/upload.ts'
import { ClientGone } from '../service-error.ts'

const querySchema = z.strictObject({
  model: z.string().min(1).optional(),
  tta: z.enum(viewPolicies).optional(),
  top_k: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number)
    .pipe(z.number().min(1))
    .default(5),
})

type Query = z.output<typeof querySchema>

const expectations: Readonly<Record<keyof Query, string>> = {
  model: 'the name of one model',
  tta: `one of ${viewPolicies.join(', ')}`,
  top_k: 'an integer from 1 to 9999',
}

/** The answer to one image. Times in milliseconds; `total` runs from the headers of the request. */
export interface ClassifyAnswer extends Classification {
  readonly timings: Classification['timings'] & { readonly total: number }
}

/** `POST /classify`: see README.md for the request and the answer. */
export async function classifyRoutes(
  app: FastifyInstance,
  options: { engine: Engine; instruments: Instruments; config: Config },
): Promise<void> {
  const { engine, instruments, config } = options
  const limits: UploadLimits = { bytes: config.bodyLimitMb * 1e6, images: config.imagesLimit }
  // What cannot be answered is refused before the body is read.
  app.addHook('onRequest', (request, _reply, done) => {
    readQuery(request)
    engine.scheduler.assertRoom(1)
    done()
  })
  installDeadline(app, { defaultMs: config.defaultDeadlineMs })
  await installUpload(app, limits)

  async function classify(
    request: FastifyRequest,
  ): Promise<ClassifyAnswer | { results: (ClassifyAnswer | Problem)[] }> {
    const query = readQuery(request)
    const { images, several } = await untilOver(request, readImages(request, limits))
    instruments.stageSeconds.observe({ stage: 'receive' }, (performance.now() - request.arrived) / 1000)
    const classifier = await untilOver(request, engine.classifier(query.model))
    const tickets = engine.scheduler.admit(images.length)
    const answers = images.map((image, index) => classifyOne(request, classifier, query, image, tickets[index]!))
    if (!several) return answers[0]!
    return { results: await Promise.all(answers.map((answer) => answer.catch(problemOfPart))) }
  }

  app.post('/classify', classify)

  async function classifyOne(
    request: FastifyRequest,
    classifier: Classifier,
    query: Query,
    image: Buffer,
    ticket: Ticket,
  ): Promise<ClassifyAnswer> {
    const question = {
      policy: query.tta ?? config.views ?? classifier.manifest.viewPolicy,
      topK: query.top_k,
      ticket,
      signal: request.work.signal,
    }
    try {
      const answer = await untilOver(request, classifier.classify(image, question, engine.scheduler))
      instruments.images.inc({ result: answer.abstain ? 'abstained' : 'ok' })
      return { ...answer, timings: roundAll({ ...answer.timings, total: performance.now() - request.arrived }) }
    } catch (error) {
      instruments.images.inc({ result: error instanceof ClientGone ? 'gone' : toFlowersError(error).code })
      throw error
    }
  }
}

/** An image of several that failed is answered in its place; when the client left, nobody is answered. */
function problemOfPart(error: unknown): Problem {
  if (error instanceof ClientGone) throw error
  return toProblem(toFlowersError(error))
}

/** Throws SERVICE_PARAMETER for a parameter that is unknown, repeated or has a wrong value. */
function readQuery(request: FastifyRequest): Query {
  const parsed = querySchema.safeParse(request.query)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(expectations).join(', ')
    throw new FlowersError(
      'SERVICE_PARAMETER',
      `There is no parameter ${JSON.stringify(issue.keys[0])}; there are: ${known}.`,
    )
  }
  const name = issue.path[0] as keyof Query
  const value = (request.query as Record<string, unknown>)[name]
  throw new FlowersError('SERVICE_PARAMETER', `${name} must be ${expectations[name]}, not ${JSON.stringify(value)}.`)
}

function roundAll<T extends Readonly<Record<string, number>>>(values: T): T {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Math.round(value * 100) / 100])) as T
}
