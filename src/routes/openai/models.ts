/** GET /v1/models: the models, as OpenAI's clients list them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { now } from '../../openai/created.ts'
import type { Registry } from '../../registry/registry.ts'
import { ref } from '../../schemas/common.ts'
import { ListedModel, ListedModels } from '../../schemas/openai/models.ts'

const params = Type.Object({ id: Type.String({ description: 'Name of a model', examples: ['lavit-mini'] }) })

const routes: FastifyPluginAsyncTypebox<{ registry: Registry }> = async (app, { registry }) => {
  const created = now()
  const listed = ({ name, family }: { name: string; family: string }) => ({
    id: name,
    object: 'model' as const,
    created,
    owned_by: family
  })

  app.get(
    '/v1/models',
    {
      config: { produces: [] },
      schema: {
        operationId: 'listModelsOpenai',
        tags: ['openai'],
        summary: "Which models there are, for OpenAI's clients",
        description: 'The models of `/models` in the wire format of OpenAI.',
        response: { 200: ref(ListedModels, 'The models by name and family') }
      }
    },
    async () => ({ object: 'list' as const, data: registry.list().map(listed) })
  )

  app.get(
    '/v1/models/:id',
    {
      config: { produces: [], errors: ['model_not_found'] },
      schema: {
        operationId: 'getModelOpenai',
        tags: ['openai'],
        summary: "One model, for OpenAI's clients",
        description: 'A model of `/models` in the wire format of OpenAI.',
        params,
        response: { 200: ref(ListedModel, 'The model by name and family') }
      }
    },
    async request => listed(registry.describe(request.params.id))
  )
}

export default routes
