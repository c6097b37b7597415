import { viewPolicies } from '@flowers/shared/model/views'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Classification } from '../engine/answers.ts'
import type { Operation } from '../http/openapi/operation.ts'
import { toFlowersError, toProblem } from '../http/errors.ts'
import { Inference, roundAll, tellStages, inferenceErrors, type InferenceOptions } from '../http/inference.ts'
import { readImages } from '../http/upload.ts'
import { routePlugin } from '../http/route-plugin.ts'
import { classifyAnswer, classifyAnswers, classifyQuery, type ClassifyAnswer, type Problem } from '../http/schemas.ts'
import { ClientGone } from '../errors.ts'
import { queryReader } from './query.ts'

const readQuery = queryReader(classifyQuery, {
  model: 'the name of one model',
  tta: `one of ${viewPolicies.join(', ')}`,
  top_k: 'an integer from 1 to 9999',
  allow_step_down: 'true or false',
  details: 'true or false',
})

/** The body of a request with at most `images` images. */
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
  errors: ['SERVICE_MALFORMED', 'SERVICE_PARAMETER', 'SERVICE_NO_IMAGE', ...inferenceErrors],
}

/** `POST /classify`: one image or several. The reference at `/docs` has the request and the answer. */
export const classifyRoutes = routePlugin('classify', addClassify)

async function addClassify(app: FastifyInstance, options: InferenceOptions): Promise<void> {
  const inference = new Inference(options, options.config.imagesLimit)
  await inference.install(app, readQuery)

  async function classify(
    request: FastifyRequest,
  ): Promise<ClassifyAnswer | { results: (ClassifyAnswer | Problem)[] }> {
    const { model, tta, top_k: topK, allow_step_down: mayStepDown = tta === undefined, details } = readQuery(request)
    const { images, several } = await readImages(request, inference.limits)
    const classifier = await inference.model(request, model)
    const question = { policy: inference.policy(classifier, tta), mayStepDown, topK, details }
    const answers = inference
      .classify(request, classifier, images, question)
      .map(async (running) => rounded(await running))
    if (several) return { results: await Promise.all(answers.map((answer) => answer.catch(problemOfPart))) }
    const answer = await answers[0]!
    tellStages(request, answer.timings)
    return answer
  }

  const operation = { ...classifyOperation, body: imageBody(inference.limits.images) }
  app.post('/classify', { config: { operation } }, classify)
}

function rounded(answer: Classification): ClassifyAnswer {
  return { ...answer, timings: roundAll(answer.timings) }
}

/** An image of several that failed is answered in its place; when the client left, nobody is answered. */
function problemOfPart(error: unknown): Problem {
  if (error instanceof ClientGone) throw error
  return toProblem(toFlowersError(error))
}
