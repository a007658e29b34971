/** Painting as OpenAI's clients ask for it. Unknown fields are ignored there, so they are here. */
import { Type, type Static } from 'typebox'
import { ImageInput, exampleImage, examplePicture, ref, seedRange } from '../common.ts'
import { jobOptions, n } from '../options.ts'

const options = {
  n,
  size: Type.Optional(Type.String({ maxLength: 100, description: "`auto`, or one of the model's sizes" })),
  output_format: Type.Optional(
    Type.Enum(['png', 'webp', 'jpeg'], { description: 'File format of the pictures; `png` if not given' })
  ),
  response_format: Type.Optional(
    Type.Enum(['b64_json', 'url'], { description: 'Pictures come as base64 in JSON; `url` is refused with 400' })
  ),
  background: Type.Optional(
    Type.Enum(['auto', 'opaque', 'transparent'], {
      description: 'Painted pictures are opaque; `transparent` is refused with 400'
    })
  ),
  seed: Type.Optional(
    Type.Integer({ ...seedRange, description: 'The same seed paints the same picture' })
  ),
  stream: Type.Optional(Type.Boolean({ description: 'Answers events, of which the last one is `completed`' })),
  partial_images: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 3, description: 'How many previews a stream may bring' })
  ),
  ...jobOptions
}

export const ImageGenerationRequest = Type.Object(
  { prompt: Type.String({ minLength: 1, description: 'What to paint' }), ...options },
  {
    $id: 'ImageGenerationRequest',
    description: "A prompt, as OpenAI's clients send it; unknown fields are ignored",
    examples: [{ model: 'lavit-mini', prompt: 'an apple on a blue background' }]
  }
)

export const ImageEditRequest = Type.Object(
  {
    image: Type.Union([ref(ImageInput), Type.Array(ref(ImageInput), { minItems: 1, maxItems: 16 })], {
      description: 'The picture, or several, which come before the prompt'
    }),
    prompt: Type.String({ minLength: 1, description: 'What to paint of them' }),
    mask: Type.Optional(Type.Unknown({ description: 'Refused: the model paints whole pictures' })),
    ...options
  },
  {
    $id: 'ImageEditRequest',
    description: "Pictures and a prompt, as OpenAI's clients send them; unknown fields are ignored",
    examples: [{ model: 'lavit-mini', image: [exampleImage], prompt: 'on a blue background' }]
  }
)

export const ImageResult = Type.Object(
  {
    created: Type.Integer({ description: 'Seconds since 1970' }),
    data: Type.Array(
      Type.Object({
        b64_json: Type.String({ description: 'The file in base64' }),
        seed: Type.Integer({ ...seedRange, description: 'The seed that paints it again, drawn where none was sent' })
      }),
      { description: 'The pictures' }
    ),
    output_format: Type.Enum(['png', 'webp', 'jpeg'], { description: 'File format of the pictures' }),
    size: Type.String({ description: 'WIDTHxHEIGHT' }),
    usage: Type.Object(
      {
        input_tokens: Type.Integer({ description: 'Of the texts and pictures that were sent' }),
        output_tokens: Type.Integer({ description: 'Visual tokens of all pictures of the answer' }),
        total_tokens: Type.Integer({ description: 'Both together' }),
        input_tokens_details: Type.Object(
          {
            text_tokens: Type.Integer({ description: 'Of the prompt' }),
            image_tokens: Type.Integer({ description: 'Of the pictures that were sent' })
          },
          { description: 'What was sent' }
        )
      },
      { description: 'What the work came to' }
    )
  },
  {
    $id: 'ImageResult',
    description: "Painted pictures, as OpenAI's clients read them",
    examples: [
      {
        created: 1_764_000_000,
        data: [{ b64_json: examplePicture, seed: 7 }],
        output_format: 'png',
        size: '24x24',
        usage: {
          input_tokens: 6,
          output_tokens: 3,
          total_tokens: 9,
          input_tokens_details: { text_tokens: 6, image_tokens: 0 }
        }
      }
    ]
  }
)

export const imageSchemas = [ImageGenerationRequest, ImageEditRequest, ImageResult]
export type ImageGenerationRequest = Static<typeof ImageGenerationRequest>
export type ImageEditRequest = Static<typeof ImageEditRequest>
export type ImageResult = Static<typeof ImageResult>
