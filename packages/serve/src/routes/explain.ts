import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { Engine } from '../engine/models.ts'
import { explainPicture } from './explain-picture.ts'
import type { Instruments } from '../observe/instruments.ts'
import type { Operation } from '../http/openapi/operation.ts'
import { deadline, secondsLeft, untilOver } from '../http/deadline.ts'
import { routePlugin } from '../http/route-plugin.ts'
import { readImages, upload } from '../http/upload.ts'
import type { UploadMemory } from '../http/upload-memory.ts'
import type { UploadLimits } from '../http/upload.ts'
import { explainAnswer, explainQuery } from '../http/schemas.ts'
import type { ExplainAnswer } from '../http/schemas.ts'
import { Stopwatch } from '../observe/stopwatch.ts'
import { classifyOperation, imageBody, roundAll } from './classify.ts'
import { queryReader } from './query.ts'

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

async function addExplain(
  app: FastifyInstance,
  options: { engine: Engine; instruments: Instruments; uploads: UploadMemory; config: Config },
): Promise<void> {
  const { engine, instruments, uploads, config } = options
  const limits: UploadLimits = { bytes: config.bodyLimitMb * 1e6, memory: uploads, images: 1 }
  app.addHook('onRequest', (request, _reply, done) => {
    readQuery(request)
    engine.scheduler.assertRoom(1)
    done()
  })
  await app.register(deadline, { defaultMs: config.defaultDeadlineMs, closing: engine.closing, instruments })
  await app.register(upload, limits)

  async function explain(request: FastifyRequest, reply: FastifyReply): Promise<ExplainAnswer | Buffer> {
    const { model, label: labels } = readQuery(request)
    const { images } = await readImages(request, limits)
    const classifier = await untilOver(request, engine.classifier(model))
    const { tickets } = classifier.admit(engine.scheduler, {
      images: 1,
      policies: ['none'],
      seconds: secondsLeft(request),
    })
    const watch = new Stopwatch(instruments, request)
    const question = { labels, ticket: tickets[0]!, signal: request.work.signal, watch }
    const found = await untilOver(request, classifier.explain(images[0]!, question))
    const { canvas, height, width, maps, timings } = found
    const { total: _, ...stages } = timings
    request.stageTimes = stages
    void reply.header('vary', 'accept')
    if (request.type(['application/json', 'image/png']) === 'image/png') {
      void reply.type('image/png')
      return untilOver(request, explainPicture(canvas, { values: maps[0]!.values, height, width }))
    }
    return {
      model: found.model,
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
