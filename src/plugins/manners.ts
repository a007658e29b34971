/** Manners of HTTP: what may be kept, what an answer depends on, and compression. */
import compress from '@fastify/compress'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

const compressible =
  /^(application\/(problem\+|openapi\+)?json|application\/javascript|text\/(html|css|javascript|plain))(;|$)/

export default fp(
  async app => {
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

function addVary (reply: FastifyReply, names: string[]) {
  const known = [reply.getHeader('vary') ?? []]
    .flat()
    .flatMap(value => String(value).split(','))
    .map(name => name.trim())
  const missing = names.filter(name => !known.some(other => other.toLowerCase() === name.toLowerCase()))
  reply.header('vary', [...known, ...missing].join(', '))
}
