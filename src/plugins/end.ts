/** The end of a request: its answer is out, or its connection is lost. */
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Calls back once. Not `request.signal`: that one follows the incoming message, which also closes when its body has
 * been
 * read. Nor the response alone: one that waits behind another on the same connection does not hear of the loss.
 */
export function onEnd (
  { raw: { socket } }: FastifyRequest,
  { raw }: FastifyReply,
  callback: (isAnswered: boolean) => void
) {
  let hasEnded = false
  const end = (isAnswered: boolean) => {
    if (hasEnded) return // both can close in one go
    hasEnded = true
    raw.off('finish', answered)
    raw.off('close', lost)
    socket.off('close', lost)
    callback(isAnswered)
  }
  const answered = () => end(true)
  const lost = () => end(false)
  socket.setMaxListeners(0) // as many as there are requests on the connection
  raw.setMaxListeners(0) // as many as wait for the end
  raw.on('finish', answered)
  raw.on('close', lost)
  socket.on('close', lost)
}
