/** /v1/batches: files of requests that are done in the background, by OpenAI's clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { pageOf } from '../../batches/page.ts'
import { ServerError, type ErrorCode } from '../../errors.ts'
import { ref } from '../../schemas/common.ts'
import { Batch, BatchRequest, Batches } from '../../schemas/openai/batches.ts'
import { listQuery, readQuery } from './lists.ts'

const params = Type.Object({
  id: Type.String({ description: 'Name of a batch', examples: ['batch_9dR2wYm0c8t1yq5kT3n7vExu'] })
})
const errors: ErrorCode[] = ['batch_not_found', 'batches_unavailable']
const defaultLimit = 20

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/v1/batches',
    {
      config: {
        produces: [],
        isOpen: true,
        errors: ['invalid_field', 'batches_unavailable', 'storage_full']
      },
      schema: {
        operationId: 'createBatch',
        tags: ['batches'],
        summary: 'Do a file of requests',
        description:
          'Every line is done as if it were sent to the endpoint by itself, with `priority` `bulk`; answers and ' +
          'errors become two files, in the order of the lines. A batch survives a restart of the server.',
        body: ref(BatchRequest),
        response: { 200: ref(Batch, 'The batch, whose file is checked next') }
      }
    },
    async ({ body, owner, ip }) => app.desk().batches.create(body, { owner, client: owner || ip })
  )

  app.get(
    '/v1/batches',
    {
      config: { produces: [], isCheap: true, errors: ['invalid_field', 'batches_unavailable'] },
      preValidation: readQuery,
      schema: {
        operationId: 'listBatches',
        tags: ['batches'],
        summary: 'Which batches there are',
        description: 'Those that this key has made, newest first.',
        querystring: listQuery(100, {}),
        response: { 200: ref(Batches, 'Batches, newest first') }
      }
    },
    async request => {
      const { after, limit = defaultLimit } = request.query
      return pageOf(app.desk().batches.list(request.owner), { limit, ...(after !== undefined && { after }) })
    }
  )

  app.get(
    '/v1/batches/:id',
    {
      config: { produces: [], isCheap: true, errors },
      schema: {
        operationId: 'getBatch',
        tags: ['batches'],
        summary: 'One batch',
        description: 'How far it is, and the files of its results once it has ended.',
        params,
        response: { 200: ref(Batch, 'The batch as it is') }
      }
    },
    async request => found(app.desk().batches.find(request.owner, request.params.id))
  )

  app.post(
    '/v1/batches/:id/cancel',
    {
      config: { produces: [], isCheap: true, isOpen: true, errors: [...errors, 'storage_full'] },
      schema: {
        operationId: 'cancelBatch',
        tags: ['batches'],
        summary: 'Stop a batch',
        description:
          'No line is begun any more; what is done by then becomes its results. One that has ended is refused ' +
          'with 400.',
        params,
        response: { 200: ref(Batch, 'The batch, which stops') }
      }
    },
    async request => found(await app.desk().batches.cancel(request.owner, request.params.id))
  )
}

function found (batch: Batch | undefined) {
  if (batch) return batch
  throw new ServerError('batch_not_found', 'There is no batch of this name')
}

export default routes
