/** Manners of HTTP: what may be kept, what an answer depends on, and compression. */
import compress from '@fastify/compress'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const compressible =
  /^(application\/(problem\+|openapi\+)?json|application\/javascript|text\/(html|css|javascript|plain))(;|$)/

const threshold = 1024 // bytes that are worth while

export default fp(
  async app => {
    await app.register(compress, {
      globalDecompression: false,
      encodings: ['br', 'gzip'],
      threshold,
      customTypes: compressible
    })

    app.addHook('onRoute', route => {
      if (route.method === 'HEAD') route.onSend = [...[route.onSend ?? []].flat(), forgetLength]
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

/** Of an answer that GET would compress: the length is not that of what GET would send. */
async function forgetLength ({ headers }: FastifyRequest, reply: FastifyReply) {
  const isCoded = reply.hasHeader('content-encoding')
  const isAsked = /\b(br|gzip)\b|\*/.test(String(headers['accept-encoding'] ?? ''))
  const isLong = Number(reply.getHeader('content-length')) >= threshold
  if (!isCoded && isAsked && isLong && compressible.test(String(reply.getHeader('content-type')))) {
    reply.removeHeader('content-length')
  }
}

function addVary (reply: FastifyReply, names: string[]) {
  const known = [reply.getHeader('vary') ?? []]
    .flat()
    .flatMap(value => String(value).split(','))
    .map(name => name.trim())
  const missing = names.filter(name => !known.some(other => other.toLowerCase() === name.toLowerCase()))
  reply.header('vary', [...known, ...missing].join(', '))
}
