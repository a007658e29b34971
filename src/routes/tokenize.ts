/** POST /tokenize: a picture to visual tokens, or to a picture of what was kept. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { chooseType } from '../plugins/negotiation.ts'
import { ref } from '../schemas/common.ts'
import { TokenizeRequest, TokenizeResponse } from '../schemas/tokenize.ts'
import { drawKeptPatches, tokenize } from '../tasks/tokenize.ts'
import { jobErrors, pictureErrors } from './errors.ts'

const produces = ['application/json', 'image/png']

const routes: FastifyPluginAsyncTypebox = async app => {
  app.post(
    '/tokenize',
    {
      config: {
        job: true,
        produces,
        fields: TokenizeRequest,
        upload: { pictures: 'image' },
        errors: [...jobErrors, ...pictureErrors]
      },
      schema: {
        operationId: 'tokenize',
        tags: ['jobs'],
        summary: 'A picture becomes a variable number of visual tokens',
        description:
          'Scores each patch of the picture, keeps those that matter, folds the others into them and gives the ' +
          'codebook index of each. With `Accept: image/png` the answer is the picture with the dropped patches ' +
          'dimmed, and `x-seed` holds the seed that they were drawn by, where they were. That takes the picture ' +
          'itself: of a reference only what the model made of it is kept, so ' +
          'the answer is JSON where `Accept` allows it, and 422 where it does not.',
        body: ref(TokenizeRequest),
        response: {
          200: ref(
            TokenizeResponse,
            'The visual tokens and which patches they stand for, or the picture with the dropped patches dimmed'
          )
        }
      }
    },
    async (request, reply) => {
      const type = chooseType(request, produces)
      const mayTell = request.accepts().type(['application/json']) !== false
      return type === 'application/json' || (typeof request.body.image !== 'string' && mayTell)
        ? await tokenize(request.job, request.body)
        : sendPicture(reply, await drawKeptPatches(request.job, request.body))
    }
  )
}

function sendPicture (reply: FastifyReply, { png, seed }: { png: Buffer; seed?: number }) {
  if (seed !== undefined) reply.header('x-seed', seed)
  return reply.type('image/png').send(png)
}

export default routes
