import type { FastifyInstance } from 'fastify'

/** `GET /`: what this is and how to ask it, as text. */
export function homeRoute(app: FastifyInstance, version: string): void {
  app.get('/', (request, reply) => {
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
          'GET  /docs/errors                                        what each error means',
          '',
        ].join('\n'),
      )
  })
}
