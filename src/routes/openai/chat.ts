/** POST /v1/chat/completions: questions about a picture, by OpenAI's clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { completeChat } from '../../openai/chat.ts'
import { chunksOf } from '../../openai/chunks.ts'
import type { Registry } from '../../registry/registry.ts'
import { ref } from '../../schemas/common.ts'
import type { Tell } from '../../schemas/events.ts'
import { ChatCompletion, ChatRequest } from '../../schemas/openai/chat.ts'
import { jobErrors, pictureErrors } from '../errors.ts'

const routes: FastifyPluginAsyncTypebox<{ registry: Registry }> = async (app, { registry }) => {
  app.post(
    '/v1/chat/completions',
    {
      config: {
        job: true,
        produces: [],
        isOpen: true,
        fields: ChatRequest,
        events: 'With `stream` the data of each event is a `chat.completion.chunk`, of the last one `[DONE]`',
        errors: [...jobErrors, ...pictureErrors]
      },
      schema: {
        operationId: 'createChatCompletion',
        tags: ['openai'],
        summary: "A question about a picture, for OpenAI's clients",
        description:
          'A picture and a text of the last user message are a question, as `/vqa` answers it; a picture alone gets ' +
          'a caption. What the model cannot honour is ignored where it is harmless (system messages, `tools` and ' +
          '`functions` that it is free to call) and refused with 400 where the answer would differ. With `stream` ' +
          'the answer is `text/event-stream` of `chat.completion.chunk` objects, then `[DONE]`. Errors also carry ' +
          '`error`, as these clients read it.',
        body: ref(ChatRequest),
        response: { 200: ref(ChatCompletion, 'The completions, best first') }
      }
    },
    async (request, reply) => {
      const id = `chatcmpl-${request.id}`
      const complete = async (tell?: Tell) => ({ ...(await completeChat(request.job, request.body, tell)), id })
      return request.body.stream
        ? reply.sendEvents(complete, chunksOf(id, request.body, registry.defaultModel))
        : reply.send(await complete())
    }
  )
}

export default routes
