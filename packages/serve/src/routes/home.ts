import type { FastifyInstance } from 'fastify'
import type { Operation } from '../openapi/operation.ts'

/** `GET /`: what this is and how to ask it, as text. */
export function homeRoute(app: FastifyInstance, version: string): void {
  app.get('/', { config: { access: 'open', operation: home } }, (request, reply) => {
    const origin = `${request.protocol}://${request.host}`
    return reply
      .type('text/plain; charset=utf-8')
      .send(
        [
          `Flowers ${version}: names the flower in a photo.`,
          '',
          `  curl -F img=@rose.jpg ${origin}/classify`,
          '',
          'POST /classify?model=&tta=full|exact|fast|none&top_k=5   one or several images in the field img, or one as the body',
          'GET  /livez, /readyz                                     alive; ready to take work',
          'GET  /metrics                                            Prometheus',
          'GET  /docs, /openapi.json                                reference of all routes, as a page and for tools',
          'GET  /docs/errors                                        what each error means',
          'GET  /v2                                                 Open Inference Protocol',
          '',
        ].join('\n'),
      )
  })
}

const home: Operation = {
  id: 'home',
  tag: 'Documentation',
  summary: 'What this is and how to ask it',
  answer: { 'text/plain': 'text' },
  errors: [],
}
