/** The limits of this server in words, as the document tells them. */
import type { Config } from '../../config/config.ts'
import { mostParts } from '../forms.ts'

export type DocumentLimits = Pick<
  Config,
  'maxImageBytes' | 'maxUploadBytes' | 'maxImagePixels' | 'maxPromptCharacters' | 'imageFormats'
>

/** Media types of pictures that are read. */
export function pictureTypes ({ imageFormats }: DocumentLimits) {
  return imageFormats.map(format => (format === 'svg' ? 'image/svg+xml' : `image/${format}`))
}

/** Those that hold for whatever is sent. */
export function tellLimits (limits: DocumentLimits) {
  return (
    `Limits, as this server is configured: ${pictureLimits(limits).join(', ')}. What is over one of them is ` +
    'answered with 413 `too_large`, which names it.'
  )
}

/** Those that hold for one request; `pictures` says how it takes them as files. */
export function tellRequestLimits (limits: DocumentLimits, pictures: 'image' | 'images' | 'prompt' | undefined) {
  const told = pictures ? pictureLimits(limits) : ['4096 visual tokens']
  const forms = {
    none: '',
    images: ' As JSON or as a form.',
    image: ' As JSON, as a form, or as the picture itself with the options in the query.',
    prompt: ' As JSON, as a form, or as the picture itself with the options in the query.'
  }[pictures ?? 'none']
  return `At most ${told.join(', ')}.${forms}`
}

function pictureLimits ({ maxImageBytes, maxUploadBytes, maxImagePixels, maxPromptCharacters }: DocumentLimits) {
  return [
    `${maxImageBytes} bytes and ${maxImagePixels} pixels of a picture`,
    `${maxUploadBytes} bytes of all pictures of a request`,
    `${maxPromptCharacters} characters of all texts`,
    '16 parts of a prompt',
    '4096 visual tokens',
    `${mostParts} parts of a form, files among them`
  ]
}
