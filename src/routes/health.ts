/** Whether the process lives, may be given work, and has started. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServerError } from '../errors.ts'
import type { Registry } from '../registry/registry.ts'
import { ref } from '../schemas/common.ts'
import { Health } from '../schemas/health.ts'

const routes: FastifyPluginAsyncTypebox<{ registry: Registry }> = async (app, { registry }) => {
  let hasStarted = false
  const stateOfDefault = () => registry.list().find(({ name }) => name === registry.defaultModel)?.state

  app.get(
    '/health/live',
    {
      config: { whileDraining: true, scope: false },
      schema: {
        security: [],
        operationId: 'getLive',
        tags: ['operations'],
        summary: 'Whether the process lives',
        description: 'Answers as long as the event loop turns; restart the process when it does not.',
        response: { 200: ref(Health, 'The process lives') }
      }
    },
    async () => ({ status: 'ok' as const })
  )

  app.get(
    '/health/ready',
    {
      config: { scope: false, errors: ['model_loading', 'engine_restarting', 'model_unavailable'] },
      schema: {
        security: [],
        operationId: 'getReady',
        tags: ['operations'],
        summary: 'Whether the server can take work',
        description:
          'Only while the default model is warm, or has made room for another one, and the server is not shutting ' +
          'down. One that has made room is loaded again by the next request for it.',
        response: { 200: ref(Health, 'The server can take work') }
      }
    },
    async () => {
      const state = stateOfDefault()
      if (state === 'restarting') {
        throw new ServerError('engine_restarting', 'The engine of the default model is being started again')
      }
      if (state === 'failed') throw new ServerError('model_unavailable', 'The default model could not be loaded')
      if (!registry.canTakeWork()) throw new ServerError('model_loading', 'The default model is not ready')
      return { status: 'ok' as const }
    }
  )

  app.get(
    '/health/startup',
    {
      config: { whileDraining: true, scope: false, errors: ['model_loading'] },
      schema: {
        security: [],
        operationId: 'getStartup',
        tags: ['operations'],
        summary: 'Whether the server has started',
        description: 'Once the default model was ready for the first time, and from then on.',
        response: { 200: ref(Health, 'The server has started') }
      }
    },
    async () => {
      hasStarted ||= registry.canTakeWork()
      if (!hasStarted) throw new ServerError('model_loading', 'The default model was not ready yet')
      return { status: 'ok' as const }
    }
  )
}

export default routes
