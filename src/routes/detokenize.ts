/** POST /detokenize: visual tokens to a picture, without the language model. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { chooseType } from '../plugins/negotiation.ts'
import { ref } from '../schemas/common.ts'
import { DetokenizeRequest } from '../schemas/generate.ts'
import { ImagesResponse } from '../schemas/images.ts'
import { detokenize } from '../tasks/generate.ts'
import { jobErrors } from './errors.ts'
import { pictureTypes, pictureTypesOf, sendPictures } from './pictures.ts'

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/detokenize',
    {
      config: { job: true, fields: DetokenizeRequest, produces: pictureTypes, errors: jobErrors },
      schema: {
        operationId: 'detokenize',
        tags: ['jobs'],
        summary: 'Visual tokens become a picture, without the language model',
        description:
          'Paints the visual tokens of an earlier answer, as they are or with another seed, size or number of steps. ' +
          'Answers like `/generate`.',
        body: ref(DetokenizeRequest),
        response: { 200: ref(ImagesResponse, 'The painted picture, in JSON or itself') }
      }
    },
    async (request, reply) => {
      const type = chooseType(request, pictureTypesOf(request.body))
      return sendPictures(reply, type, request.body, await detokenize(request.job, request.body))
    }
  )
}

export default routes
