/** POST /v1/images/generations and /v1/images/edits: painting, by OpenAI's clients. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { refusedField } from '../../errors.ts'
import { paintEdit, paintPrompt, pictureEventsOf } from '../../openai/images.ts'
import { ref } from '../../schemas/common.ts'
import type { Tell } from '../../schemas/events.ts'
import { ImageEditRequest, ImageGenerationRequest, ImageResult } from '../../schemas/openai/images.ts'
import { jobErrors, pictureErrors } from '../errors.ts'

const told =
  'What the model cannot honour is ignored where it is harmless and refused where the picture would differ. With ' +
  '`stream` the answer is `text/event-stream`. Errors also carry `error`, as these clients read it.'

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/v1/images/generations',
    {
      config: {
        job: true,
        produces: [],
        isOpen: true,
        events: eventsOf('image_generation'),
        fields: ImageGenerationRequest,
        errors: jobErrors
      },
      schema: {
        operationId: 'createImage',
        tags: ['openai'],
        summary: "Text becomes a picture, for OpenAI's clients",
        description: `Paints as \`/generate\` does. ${told}`,
        body: ref(ImageGenerationRequest),
        response: { 200: ref(ImageResult, 'The pictures of the prompt') }
      }
    },
    async (request, reply) => {
      const { body, job } = request
      const paint = (tell?: Tell) => paintPrompt(job, body, tell)
      return isStreamed(body) ? reply.sendEvents(paint, pictureEventsOf('image_generation')) : reply.send(await paint())
    }
  )

  app.post(
    '/v1/images/edits',
    {
      config: {
        job: true,
        produces: [],
        isOpen: true,
        events: eventsOf('image_edit'),
        fields: ImageEditRequest,
        upload: { pictures: 'images' },
        errors: [...jobErrors, ...pictureErrors]
      },
      schema: {
        operationId: 'createImageEdit',
        tags: ['openai'],
        summary: "Pictures and text become a picture, for OpenAI's clients",
        description:
          `Pictures come before the words of the prompt; a form has them as \`image\` or \`image[]\`. ${told}`,
        body: ref(ImageEditRequest),
        response: { 200: ref(ImageResult, 'The pictures, painted anew') }
      }
    },
    async (request, reply) => {
      const { body, job } = request
      const paint = (tell?: Tell) => paintEdit(job, body, tell)
      return isStreamed(body) ? reply.sendEvents(paint, pictureEventsOf('image_edit')) : reply.send(await paint())
    }
  )
}

function eventsOf (kind: 'image_generation' | 'image_edit') {
  return `With \`stream\` events \`${kind}.partial_image\`, then \`${kind}.completed\`, JSON each`
}

function isStreamed ({ stream, n = 1 }: { stream?: boolean; n?: number }): boolean {
  if (stream && n > 1) throw refusedField('/n', 'must be 1 where the answer is a stream')
  return stream === true
}

export default routes
