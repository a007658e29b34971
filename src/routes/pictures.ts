/** How painted pictures are answered: as JSON that holds them, or one picture as the body itself. */
import type { FastifyReply } from 'fastify'
import { encodePicture, type PictureFormat } from '../codecs/image.ts'
import type { ImagesResponse } from '../schemas/images.ts'
import type { Pictures } from '../tasks/generate.ts'

const formats: PictureFormat[] = ['png', 'webp', 'jpeg']
export const pictureTypes = ['application/json', ...formats.map(format => `image/${format}`)]

/** The forms that an answer can have: several pictures come as JSON only. */
export function pictureTypesOf ({ n = 1, format = 'png' }: { n?: number; format?: PictureFormat }) {
  return n > 1 ? ['application/json'] : [...new Set(['application/json', `image/${format}`, ...pictureTypes])]
}

export async function sendPictures (
  reply: FastifyReply,
  type: string,
  options: { format?: PictureFormat },
  answer: Pictures
) {
  if (type === 'application/json') return reply.send(await writePictures(answer, options))
  const [picture] = answer.pictures
  const format = formats.find(format => type === `image/${format}`)
  if (!picture || !format) throw new Error('no picture was painted')
  return reply
    .type(type)
    .header('x-seed', picture.seed)
    .send(await encodePicture(picture, format))
}

export async function writePictures (
  { model, pictures, usage }: Pictures,
  { format = 'png' }: { format?: PictureFormat }
): Promise<ImagesResponse> {
  const images = await Promise.all(
    pictures.map(async picture => ({
      media_type: `image/${format}` as const,
      data: (await encodePicture(picture, format)).toString('base64'),
      width: picture.width,
      height: picture.height,
      seed: picture.seed,
      visual_tokens: picture.codes
    }))
  )
  return { model, images, usage }
}
