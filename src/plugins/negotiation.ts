/** Chooses the form of an answer by `Accept`, and refuses what the route cannot give before it works for it. */
import accepts from '@fastify/accepts'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServerError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types of the answers; JSON alone where nothing is said, and no check where it is empty. */
    produces?: string[]
  }
}

export default fp(
  async app => {
    await app.register(accepts)
    app.addHook('onRequest', async request => {
      const { produces = ['application/json'] } = request.routeOptions.config
      forgetParameters(request)
      const hasForm = !request.is404 && request.method !== 'OPTIONS'
      if (hasForm && produces.length > 0) chooseType(request, produces)
    })
  },
  { name: 'negotiation' }
)

/** Of the parameters that types in `Accept` may have, such as a charset, none tells forms of an answer apart. */
function forgetParameters ({ headers }: FastifyRequest) {
  headers.accept &&= headers.accept.replace(/;\s*(?!q\s*=)[^\s;,="]+\s*=\s*("[^"]*"|[^\s;,"]*)/gi, '')
}

/**
 * The best of `types` for the client, in the server's order where the client does not mind. Throws `not_acceptable`.
 */
export function chooseType<T extends string> (request: FastifyRequest, types: T[]): T {
  const named = request.accepts().type(types)
  const chosen = types.find(type => type === named)
  if (chosen === undefined) throw new ServerError('not_acceptable', `The answer can be had as ${types.join(', ')}`)
  return chosen
}
