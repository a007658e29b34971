/**
 * Manners of HTTP: what may be kept, what an answer depends on, compression, and browsers that come from other origins.
 */
import compress from '@fastify/compress'
import cors from '@fastify/cors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const compressible =
  /^(application\/(problem\+|openapi\+)?json|application\/javascript|text\/(html|css|javascript|plain))(;|$)/

export default fp<{ corsOrigins: readonly string[] }>(
  async (app, { corsOrigins }) => {
    if (corsOrigins.length > 0) {
      const options = {
        origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
        methods: ['GET', 'HEAD', 'POST', 'DELETE'],
        exposedHeaders: [
          'x-request-id', 'Server-Timing', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'x-seed', 'x-queue-position',
          'x-expected-start-ms', 'Mcp-Session-Id'
        ],
        maxAge: 3600
      }
      await app.register(cors, {
        delegator: (request, answer) => answer(null, { ...options, preflight: isPreflight(request) })
      })
    }

    await app.register(compress, {
      globalDecompression: false,
      encodings: ['br', 'gzip'],
      threshold: 1024,
      customTypes: compressible
    })

    app.addHook('onSend', async (request, reply) => {
      if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
      addVary(
        reply,
        request.routeOptions.config.produces?.length === 0 ? ['Accept-Encoding'] : ['Accept', 'Accept-Encoding']
      )
    })
  },
  { name: 'manners' }
)

/** Any other OPTIONS asks for the methods of a path. */
function isPreflight ({ headers }: FastifyRequest) {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

function addVary (reply: FastifyReply, names: string[]) {
  const known = [reply.getHeader('vary') ?? []]
    .flat()
    .flatMap(value => String(value).split(','))
    .map(name => name.trim())
  const missing = names.filter(name => !known.some(other => other.toLowerCase() === name.toLowerCase()))
  reply.header('vary', [...known, ...missing].join(', '))
}
