/** POST /caption: a picture to a sentence. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { eventType, wantsEvents } from '../plugins/events.ts'
import { ref } from '../schemas/common.ts'
import { textEvents, type Tell } from '../schemas/events.ts'
import { CaptionRequest, CaptionResponse } from '../schemas/understanding.ts'
import { caption } from '../tasks/caption.ts'
import { jobErrors, pictureErrors } from './errors.ts'

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/caption',
    {
      config: {
        job: true,
        produces: ['application/json', eventType],
        events: textEvents,
        fields: CaptionRequest,
        upload: { pictures: 'image' },
        errors: [...jobErrors, ...pictureErrors]
      },
      schema: {
        operationId: 'caption',
        tags: ['jobs'],
        summary: 'A picture becomes a sentence',
        description:
          'Reads the continuous features of the picture. With `visual_tokens` in place of `image` the answer says ' +
          '`approximate`. Defaults are those of the model.',
        body: ref(CaptionRequest),
        response: { 200: ref(CaptionResponse, 'The captions, best first') }
      }
    },
    async (request, reply) => {
      const answer = (tell?: Tell) => caption(request.job, request.body, tell)
      return wantsEvents(request, request.body) ? reply.sendEvents(answer) : reply.send(await answer())
    }
  )
}

export default routes
