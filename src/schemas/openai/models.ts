/** Models as OpenAI's clients list them. */
import { Type } from 'typebox'
import { ref } from '../common.ts'

export const ListedModel = Type.Object(
  {
    id: Type.String({ description: 'Name of the model' }),
    object: Type.Literal('model', { description: 'What this is' }),
    created: Type.Integer({ description: 'Seconds since 1970 when this server started' }),
    owned_by: Type.String({ description: 'Family of the model' })
  },
  {
    $id: 'ListedModel',
    description: "A model, as OpenAI's clients read it",
    examples: [{ id: 'lavit-mini', object: 'model', created: 1_764_000_000, owned_by: 'lavit' }]
  }
)

export const ListedModels = Type.Object(
  {
    object: Type.Literal('list', { description: 'What this is' }),
    data: Type.Array(ref(ListedModel), { description: 'The models' })
  },
  {
    $id: 'ListedModels',
    description: "Models, as OpenAI's clients read them",
    examples: [
      { object: 'list', data: [{ id: 'lavit-mini', object: 'model', created: 1_764_000_000, owned_by: 'lavit' }] }
    ]
  }
)

export const listedSchemas = [ListedModel, ListedModels]
