import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Calls `then` once, when the answer was sent or nobody can be answered any more. An answer that waits behind another
 * one on its connection (pipelining, RFC 9112, section 9.3.2) never closes by itself when the client leaves: the
 * connection tells.
 */
export function whenOver(request: FastifyRequest, reply: FastifyReply, then: () => void): void {
  const { socket } = request.raw
  let isOver = false
  const over = (): void => {
    // The connection closes its answer in the midst of telling its own listeners: those that were taken off hear it too.
    if (isOver) return
    isOver = true
    reply.raw.off('close', over)
    socket.off('close', over)
    then()
  }
  reply.raw.once('close', over)
  // As many as there are requests under way on it.
  socket.setMaxListeners(0)
  socket.once('close', over)
}
