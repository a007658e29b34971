/** POST /generate: text, or text mixed with pictures, to a picture. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { eventType, wantsEvents } from '../plugins/events.ts'
import { chooseType } from '../plugins/negotiation.ts'
import { ref } from '../schemas/common.ts'
import { pictureEvents } from '../schemas/events.ts'
import { GenerateRequest } from '../schemas/generate.ts'
import { ImagesResponse } from '../schemas/images.ts'
import { generate } from '../tasks/generate.ts'
import { jobErrors, pictureErrors } from './errors.ts'
import { pictureTypes, pictureTypesOf, sendPictures, writePictures } from './pictures.ts'

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/generate',
    {
      config: {
        job: true,
        produces: [...pictureTypes, eventType],
        events: pictureEvents,
        fields: GenerateRequest,
        upload: { pictures: 'prompt' },
        errors: [...jobErrors, ...pictureErrors]
      },
      schema: {
        operationId: 'generate',
        tags: ['jobs'],
        summary: 'Text, or text mixed with pictures, becomes a picture',
        description:
          'The language model draws visual tokens after the prompt, and the pixel decoder paints them. In a form, ' +
          'fields `prompt` and files `image` are the parts of the prompt in their order; a raw picture comes ' +
          'before the `prompt` of the query. With `Accept: image/png`, `image/webp` or `image/jpeg` and one ' +
          'picture, the body is the picture itself, and `x-seed` holds its seed.',
        body: ref(GenerateRequest),
        response: { 200: ref(ImagesResponse, 'The painted pictures in JSON, or the one picture itself') }
      }
    },
    async (request, reply) => {
      const types = pictureTypesOf(request.body)
      if (wantsEvents(request, request.body, types)) {
        return reply.sendEvents(async tell =>
          writePictures(await generate(request.job, request.body, tell), request.body)
        )
      }
      const type = chooseType(request, types)
      return sendPictures(reply, type, request.body, await generate(request.job, request.body))
    }
  )
}

export default routes
