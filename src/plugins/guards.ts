/** Keeps the server from harm: response headers, and no new work while it shuts down. */
import helmet from '@fastify/helmet'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServerError } from '../errors.ts'
import type { Registry } from '../registry/registry.ts'
import { onEnd } from './end.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers even while the server shuts down. */
    whileDraining?: boolean
  }
}

export default fp<{ registry: Registry; graceMs: number }>(
  async (app, { registry, graceMs }) => {
    await app.register(helmet, {
      strictTransportSecurity: false, // belongs to whoever ends TLS
      contentSecurityPolicy: {
        directives: {
          upgradeInsecureRequests: null,
          styleSrc: ["'self'"],
          imgSrc: ["'self'", 'data:', 'blob:'],
          fontSrc: ["'self'", 'data:']
        }
      }
    })

    let draining = false
    const open = new Map<FastifyRequest, FastifyReply>()
    app.addHook('preClose', async () => {
      draining = true
      // the body may never come
      for (const [{ raw }, reply] of open) if (raw.complete === false && !reply.sent) reply.send(drainingError())
      const timer = setTimeout(
        () => app.endJobs(new ServerError('draining', 'The server shut down before the work was done')),
        graceMs
      )
      await registry.close({ graceMs })
      clearTimeout(timer)
    })

    app.addHook('onSend', async (_request, reply) => {
      if (draining) reply.header('connection', 'close') // a connection that stays open would hold the server
    })

    app.addHook('onRequest', async (request, reply) => {
      const { whileDraining } = request.routeOptions.config
      if (draining && !whileDraining) throw drainingError()
      open.set(request, reply)
      onEnd(request, reply, () => open.delete(request))
    })
  },
  { name: 'guards', dependencies: ['jobs'] }
)

function drainingError () {
  return new ServerError('draining', 'The server is shutting down')
}
