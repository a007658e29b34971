/** How painted pictures are answered: as JSON that holds them, or one picture as the body itself. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { encodePicture, type PictureFormat } from '../codecs/image.ts'
import { chooseType } from '../plugins/negotiation.ts'
import type { ImagesResponse } from '../schemas/generate.ts'
import type { Pictures } from '../tasks/generate.ts'

type MediaType = ImagesResponse['images'][number]['media_type']

export const pictureTypes = ['application/json', 'image/png', 'image/webp', 'image/jpeg']

/** The form of the answer: several pictures come as JSON only. Throws `not_acceptable`. */
export function choosePictureType (request: FastifyRequest, { n = 1, format = 'png' }: { n?: number, format?: PictureFormat }) {
  return chooseType(request, n > 1 ? ['application/json'] : ['application/json', `image/${format}`, ...pictureTypes.slice(1)])
}

export async function sendPictures (reply: FastifyReply, type: string, { format = 'png' }: { format?: PictureFormat }, { model, pictures, usage }: Pictures) {
  if (type !== 'application/json') {
    const [picture] = pictures
    return reply.type(type).header('x-seed', picture!.seed).send(await encodePicture(picture!, type.slice('image/'.length) as PictureFormat))
  }
  const images = await Promise.all(pictures.map(async picture => ({
    media_type: `image/${format}` as MediaType,
    data: (await encodePicture(picture, format)).toString('base64'),
    width: picture.width,
    height: picture.height,
    seed: picture.seed,
    visual_tokens: picture.codes
  })))
  return reply.send({ model, images, usage } satisfies ImagesResponse)
}
