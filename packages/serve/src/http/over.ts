import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Calls `then` once, when the answer was sent or the client has left. An answer that waits behind another one on its
 * connection (pipelining, RFC 9112, section 9.3.2) does not close when the client leaves, so the connection is watched too.
 */
export function whenOver(request: FastifyRequest, reply: FastifyReply, then: () => void): void {
  const { socket } = request.raw
  let isOver = false
  const over = (): void => {
    // A closing connection closes its answer while it calls its own listeners, and calls those that were removed as well.
    if (isOver) return
    isOver = true
    reply.raw.off('close', over)
    socket.off('close', over)
    then()
  }
  reply.raw.once('close', over)
  // Each request on the connection adds a listener.
  socket.setMaxListeners(0)
  socket.once('close', over)
}
