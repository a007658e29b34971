/** POST /vqa: a picture and a question to an answer. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { eventType, wantsEvents } from '../plugins/events.ts'
import { ref } from '../schemas/common.ts'
import { textEvents, type Tell } from '../schemas/events.ts'
import { VqaRequest, VqaResponse } from '../schemas/understanding.ts'
import { answerQuestion } from '../tasks/vqa.ts'
import { jobErrors, pictureErrors } from './errors.ts'

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/vqa',
    {
      config: {
        job: true,
        produces: ['application/json', eventType],
        events: textEvents,
        fields: VqaRequest,
        upload: { pictures: 'image' },
        errors: [...jobErrors, ...pictureErrors]
      },
      schema: {
        operationId: 'vqa',
        tags: ['jobs'],
        summary: 'A picture and a question become an answer',
        description:
          'As `/caption`, with a question. With `visual_tokens` in place of `image` the answer says `approximate`.',
        body: ref(VqaRequest),
        response: { 200: ref(VqaResponse, 'The answers, best first') }
      }
    },
    async (request, reply) => {
      const answer = (tell?: Tell) => answerQuestion(request.job, request.body, tell)
      return wantsEvents(request, request.body) ? reply.sendEvents(answer) : reply.send(await answer())
    }
  )
}

export default routes
