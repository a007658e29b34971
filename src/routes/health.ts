/** Whether the process lives, may be given work, and has started. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServerError } from '../errors.ts'
import type { Registry } from '../registry/registry.ts'
import { ref } from '../schemas/common.ts'
import { Health } from '../schemas/health.ts'

const routes: FastifyPluginAsyncTypebox<{ registry: Registry }> = async (app, { registry }) => {
  let hasStarted = false
  const isReady = () => registry.list().some(({ name, state }) => name === registry.defaultModel && state === 'ready')

  app.get('/health/live', {
    config: { whileDraining: true },
    schema: { operationId: 'getLive', tags: ['operations'], summary: 'Whether the process lives', description: 'Answers as long as the event loop turns; restart the process when it does not.', response: { 200: ref(Health, 'The process lives') } }
  }, async () => ({ status: 'ok' as const }))

  app.get('/health/ready', {
    config: { errors: ['model_loading'] },
    schema: { operationId: 'getReady', tags: ['operations'], summary: 'Whether the server can take work', description: 'Only while the default model is warm and the server is not shutting down.', response: { 200: ref(Health, 'The server can take work') } }
  }, async () => {
    if (!isReady()) throw new ServerError('model_loading', 'The default model is not ready')
    return { status: 'ok' as const }
  })

  app.get('/health/startup', {
    config: { whileDraining: true, errors: ['model_loading'] },
    schema: { operationId: 'getStartup', tags: ['operations'], summary: 'Whether the server has started', description: 'Once the default model was ready for the first time, and from then on.', response: { 200: ref(Health, 'The server has started') } }
  }, async () => {
    hasStarted ||= isReady()
    if (!hasStarted) throw new ServerError('model_loading', 'The default model was not ready yet')
    return { status: 'ok' as const }
  })
}

export default routes
