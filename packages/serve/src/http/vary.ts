import type { FastifyReply } from 'fastify'

/** Says that the answer depends on `Accept`, besides what it depends on already (`Origin`, with CORS). */
export function varyByAccept(reply: FastifyReply): void {
  const before = reply.getHeader('vary')
  void reply.header('vary', before === undefined ? 'accept' : `${String(before)}, accept`)
}
