import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { explainPicture } from './explain-picture.ts'
import type { Operation } from '../http/openapi/operation.ts'
import { untilOver } from '../http/deadline.ts'
import { Inference, roundAll, tellStages, type InferenceOptions } from '../http/inference.ts'
import { readImages } from '../http/upload.ts'
import { routePlugin } from '../http/route-plugin.ts'
import { explainAnswer, explainQuery, type ExplainAnswer } from '../http/schemas.ts'
import { classifyOperation, imageBody } from './classify.ts'
import { queryReader } from './query.ts'
import { varyByAccept } from '../http/vary.ts'

const readQuery = queryReader(explainQuery, {
  model: 'the name of one model',
  label: 'the label of a class, at most 100 of them',
})

const operation: Operation = {
  ...classifyOperation,
  id: 'explain',
  summary: 'Shows where the model looked in an image',
  about:
    'For one image: how much each place of the plain view adds to the logit of a class (class activation mapping). A client that accepts image/png rather than application/json gets the picture as the model saw it, dark where it did not look, for the first label.',
  query: explainQuery,
  body: imageBody(1),
  answer: { 'application/json': explainAnswer, 'image/png': 'binary' },
  errors: [...classifyOperation.errors, 'MODEL_WITHOUT_MAPS'],
}

/** `POST /explain`: the class maps of one image, as numbers or as a picture. */
export const explainRoutes = routePlugin('explain', addExplain, '@fastify/accepts')

async function addExplain(app: FastifyInstance, options: InferenceOptions): Promise<void> {
  const inference = new Inference(options, 1)
  await inference.install(app, readQuery)

  async function explain(request: FastifyRequest, reply: FastifyReply): Promise<ExplainAnswer | Buffer> {
    const { model, label: labels } = readQuery(request)
    const { images } = await readImages(request, inference.limits)
    const classifier = await inference.model(request, model)
    const explanation = classifier.explain(images[0]!, labels, inference.context(request))
    const { canvas, height, width, maps, timings, model: answering } = await untilOver(request, explanation)
    tellStages(request, timings)
    varyByAccept(reply)
    if (request.type(['application/json', 'image/png']) === 'image/png') {
      void reply.type('image/png')
      return untilOver(request, explainPicture(canvas, { values: maps[0]!.values, height, width }))
    }
    return {
      model: answering,
      crop: classifier.manifest.preprocessing.cropFraction,
      height,
      width,
      maps: maps.map((map) => ({ ...map, values: Array.from(map.values, toFourDigits) })),
      timings: roundAll(timings),
    }
  }

  app.post('/explain', { config: { operation } }, explain)
}

/** A map is read by eye: more digits would only make the answer three times as long. */
function toFourDigits(value: number): number {
  return Number(value.toPrecision(4))
}
