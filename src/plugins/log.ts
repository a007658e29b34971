/** What the log tells of a request: nothing of what it asks. */
import type { FastifyRequest } from 'fastify'

const mostCharacters = 200

/** The path without its query, which may hold a question. */
export function tellRequest ({ method, url, ip }: FastifyRequest) {
  return { method, url: url.split('?', 1)[0]?.slice(0, mostCharacters), remoteAddress: ip }
}
