/** POST /estimate: what a job would come to, without doing it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { withPointers } from '../errors.ts'
import { ref } from '../schemas/common.ts'
import { EstimateRequest, EstimateResponse } from '../schemas/estimate.ts'
import { estimate } from '../tasks/estimate.ts'

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/estimate',
    {
      config: {
        job: true,
        isCheap: true,
        fields: { properties: {} }, // each form has its own
        errors: [
          'invalid_request', 'model_not_found', 'image_ref_expired', 'too_large', 'unsupported_media_type',
          'invalid_field', 'model_loading', 'model_unavailable'
        ]
      },
      schema: {
        operationId: 'estimate',
        tags: ['jobs'],
        summary: 'What a job would come to',
        description:
          'Takes the body of any job and tells its tokens, its cost, when it would begin and when its answer would ' +
          'be there, from what the model was seen to do lately. Nothing is decoded or fetched and no work is done, ' +
          'so what can only be known by reading the picture is not refused here. Of a key with a rate it takes a ' +
          'tenth of a request. A model that is not loaded is not loaded for it.',
        body: ref(EstimateRequest),
        response: { 200: ref(EstimateResponse, 'What is to be expected') }
      }
    },
    async request => {
      try {
        return estimate(request.job, request.body)
      } catch (error) {
        throw withPointers(error, pointer => `/request${pointer}`)
      }
    }
  )
}

export default routes
