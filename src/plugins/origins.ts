/** Pages of other origins: which may call from a browser, and what they may read of an answer. */
import cors from '@fastify/cors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const methods = ['GET', 'HEAD', 'POST', 'DELETE']
const exposedHeaders = [
  'x-request-id', 'Server-Timing', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'x-seed', 'x-queue-position',
  'x-expected-start-ms', 'Mcp-Session-Id'
]
const maxAge = 3600

export default fp<{ corsOrigins: readonly string[] }>(
  async (app, { corsOrigins }) => {
    if (corsOrigins.length === 0) return
    const options = { origin: originOf(corsOrigins), methods, exposedHeaders, maxAge }
    await app.register(cors, {
      delegator: (request, answer) => answer(null, { ...options, preflight: isPreflight(request) })
    })
  },
  { name: 'origins' }
)

/** The same for an answer that no hook sees; whether it was a preflight, which has its answer then. */
export function tellOrigin (request: FastifyRequest, reply: FastifyReply, corsOrigins: readonly string[]): boolean {
  if (corsOrigins.length === 0) return false
  const { origin, 'access-control-request-headers': wanted } = request.headers
  const allowed = originOf(corsOrigins)
  reply.headers({ vary: 'Origin', 'access-control-expose-headers': exposedHeaders.join(', ') })
  if (allowed === '*') reply.header('access-control-allow-origin', '*')
  else if (origin !== undefined && allowed.includes(origin)) reply.header('access-control-allow-origin', origin)
  if (request.method !== 'OPTIONS' || !isPreflight(request)) return false
  reply.headers({ 'access-control-allow-methods': methods.join(', '), 'access-control-max-age': maxAge })
  if (wanted !== undefined) {
    reply.headers({ 'access-control-allow-headers': wanted, vary: 'Origin, Access-Control-Request-Headers' })
  }
  reply.code(204).send()
  return true
}

function originOf (corsOrigins: readonly string[]): '*' | string[] {
  return corsOrigins.includes('*') ? '*' : [...corsOrigins]
}

/** Any other OPTIONS asks for the methods of a path. */
function isPreflight ({ headers }: FastifyRequest) {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}
