/** The variables about pictures: how large they may be, in which formats, and whether they are fetched. */
import { Type } from 'typebox'

/** Picture formats this server can be allowed to read. */
const imageFormats = ['png', 'jpeg', 'webp', 'gif', 'avif', 'svg'] as const

export const pictureVariables = {
  LAVIT_MAX_IMAGE_BYTES: Type.Integer({
    default: 10_485_760,
    minimum: 1,
    maximum: 268_435_456,
    description: 'Bytes of one picture'
  }),
  LAVIT_MAX_UPLOAD_BYTES: Type.Integer({
    default: 41_943_040,
    minimum: 1,
    maximum: 1_073_741_824,
    description: 'Bytes of all pictures of one request together, in whatever form they come'
  }),
  LAVIT_UPLOAD_MEMORY_MB: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 16_777_216,
    description:
      'Memory in MiB for the bodies of all requests together, as they are sent, and for pictures that are fetched; ' +
      'more are told to come back. Where it is too little for one whole body, it is as much as that'
  }),
  LAVIT_MAX_IMAGE_PIXELS: Type.Integer({
    default: 40_000_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description: 'Pixels of one picture, read from its header before decoding'
  }),
  LAVIT_IMAGE_FORMATS: Type.Array(Type.Enum([...imageFormats]), {
    default: ['png', 'jpeg', 'webp', 'gif', 'avif'],
    description: 'Formats of pictures that are read, told by their content; `svg` may be added'
  }),
  LAVIT_FETCH_IMAGES: Type.Enum(['off', 'https', 'http'], {
    default: 'off',
    description:
      'Whether pictures may be given by URL, which the server then fetches: `off`, `https`, or `http` for both schemes'
  }),
  LAVIT_FETCH_TIMEOUT_MS: Type.Integer({
    default: 5000,
    minimum: 1,
    maximum: 600_000,
    description: 'Longest time to fetch a picture, with its redirects'
  })
}
