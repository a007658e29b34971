/** Which models there are, and loading and unloading them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { ErrorCode } from '../errors.ts'
import type { Registry } from '../registry/registry.ts'
import { ref } from '../schemas/common.ts'
import { ModelDetails, ModelList } from '../schemas/models.ts'

const params = Type.Object({
  name: Type.String({ description: 'Name of a model, as `/models` lists it', examples: ['lavit-mini'] })
})
const adminErrors: ErrorCode[] = ['model_not_found', 'invalid_field', 'model_unavailable']

const routes: FastifyPluginAsyncTypebox<{ registry: Registry }> = async (app, { registry }) => {
  app.get(
    '/models',
    {
      schema: {
        operationId: 'listModels',
        tags: ['models'],
        summary: 'Which models there are',
        description:
          'Every model package that the server found, its state and its device, and which one answers when a request ' +
          'names none.',
        response: { 200: ref(ModelList, 'The models and the default') }
      }
    },
    async () => ({ default: registry.defaultModel, models: registry.list() })
  )

  app.get(
    '/models/:name',
    {
      config: { errors: ['model_not_found'] },
      schema: {
        operationId: 'getModel',
        tags: ['models'],
        summary: 'One model',
        description:
          'Adds limits, defaults of each task, digests of the files, measured quality and, for a model of a closed ' +
          'domain, what it knows by name.',
        params,
        response: { 200: ref(ModelDetails, 'The model') }
      }
    },
    async request => registry.describe(request.params.name)
  )

  for (const action of ['load', 'unload'] as const) {
    app.post(
      `/models/:name/${action}`,
      {
        config: { scope: 'admin', errors: action === 'load' ? [...adminErrors, 'engine_restarting'] : adminErrors },
        schema: {
          operationId: `${action}Model`,
          tags: ['models'],
          summary: action === 'load' ? 'Load a model' : 'Unload a model',
          description:
            action === 'load'
              ? 'Answers when the model is ready. Calls at the same time share one load; the least recently used ' +
                'idle model makes room.'
              : 'Lets running requests finish within the grace time, then ends the engine process, which gives its ' +
                'memory back.',
          security: [{ apiKey: [] }],
          params,
          response: { 200: ref(ModelDetails, action === 'load' ? 'The model, ready' : 'The model, unloaded') }
        }
      },
      async request => {
        await registry[action](request.params.name)
        return registry.describe(request.params.name)
      }
    )
  }
}

export default routes
