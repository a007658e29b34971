/** Text, pictures or visual tokens to pictures. */
import { Type, type Static } from 'typebox'
import {
  ImageInput,
  VisualTokens,
  drawOptions,
  exampleImage,
  examplePicture,
  jobOptions,
  n,
  pictureOptions,
  ref,
  seed,
  stream,
  strict
} from './common.ts'

const guidance = { minimum: 1, maximum: 100 }
const size = Type.Optional(Type.String({ maxLength: 100, description: "WIDTHxHEIGHT, one of the model's sizes" }))
const steps = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 1000,
    description: 'Paint steps; 0 paints with the painter alone, where the model has one'
  })
)
const format = Type.Optional(
  Type.Enum(['png', 'webp', 'jpeg'], { description: 'File format of the pictures; `png` if not given' })
)

const TextPart = Type.Object(
  {
    type: Type.Literal('text', { description: 'What the part is' }),
    text: Type.String({ description: 'Words of the prompt' })
  },
  { ...strict, $id: 'TextPart', description: 'A text within a prompt' }
)

const ImagePart = Type.Object(
  {
    type: Type.Literal('image', { description: 'What the part is' }),
    image: ref(ImageInput)
  },
  { ...strict, $id: 'ImagePart', description: 'A picture within a prompt' }
)

const VisualTokensPart = Type.Object(
  {
    type: Type.Literal('visual_tokens', { description: 'What the part is' }),
    visual_tokens: ref(VisualTokens)
  },
  {
    ...strict,
    $id: 'VisualTokensPart',
    description: 'A picture within a prompt, as the visual tokens of an earlier answer'
  }
)

const PromptPart = Type.Unsafe<Static<typeof TextPart> | Static<typeof ImagePart> | Static<typeof VisualTokensPart>>(
  Type.Unsafe({
    $id: 'PromptPart',
    description: 'A text, a picture or visual tokens, told apart by `type`',
    type: 'object',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [ref(TextPart), ref(ImagePart), ref(VisualTokensPart)]
  })
)

export const GenerateRequest = Type.Object(
  {
    prompt: Type.Union(
      [
        Type.String({ minLength: 1, description: 'A text alone' }),
        Type.Array(ref(PromptPart), { minItems: 1, maxItems: 16, description: 'Parts in their order' })
      ],
      {
        description:
          'A text, or texts, pictures and visual tokens in order. Space around a text does not matter; what says ' +
          'nothing at all is refused'
      }
    ),
    ...pictureOptions,
    n,
    size,
    seed,
    guidance_scale: Type.Optional(
      Type.Number({
        ...guidance,
        description:
          "Of the language model; 1 is off. The default is the model's, which may have another for prompts with " +
          'pictures or visual tokens'
      })
    ),
    decoder_guidance_scale: Type.Optional(Type.Number({ ...guidance, description: 'Of the pixel decoder; 1 is off' })),
    steps,
    ...drawOptions,
    format,
    stream,
    ...jobOptions
  },
  {
    ...strict,
    $id: 'GenerateRequest',
    description: 'A prompt, and how to draw and paint after it',
    examples: [
      { prompt: 'an apple on a blue background', seed: 7 },
      {
        prompt: [
          { type: 'image', image: exampleImage },
          { type: 'text', text: 'on a blue background' }
        ],
        seed: 7
      }
    ]
  }
)

export const DetokenizeRequest = Type.Object(
  {
    visual_tokens: ref(VisualTokens),
    seed,
    steps,
    guidance_scale: Type.Optional(Type.Number({ ...guidance, description: 'Of the pixel decoder; 1 is off' })),
    size,
    format,
    ...jobOptions
  },
  {
    ...strict,
    $id: 'DetokenizeRequest',
    description: 'Visual tokens, and how to paint them',
    examples: [{ visual_tokens: [17, 902, 3071], seed: 7 }]
  }
)

const GeneratedImage = Type.Object(
  {
    media_type: Type.Enum(['image/png', 'image/webp', 'image/jpeg'], { description: 'Type of the file' }),
    data: Type.String({ description: 'The file in base64' }),
    width: Type.Integer({ description: 'Pixels across' }),
    height: Type.Integer({ description: 'Pixels down' }),
    seed: Type.Integer({ description: 'The same request with this seed paints this picture again' }),
    visual_tokens: ref(VisualTokens)
  },
  { ...strict, $id: 'GeneratedImage', description: 'A painted picture' }
)

export const ImagesResponse = Type.Object(
  {
    model: Type.String({ description: 'The model that painted' }),
    images: Type.Array(ref(GeneratedImage), { description: 'The pictures' }),
    usage: Type.Object(
      {
        prompt_tokens: Type.Integer({ description: 'Of the texts and pictures that were sent' }),
        visual_tokens: Type.Integer({ description: 'Of all pictures of the answer' }),
        steps: Type.Integer({ description: 'Paint steps of each picture' })
      },
      { ...strict, description: 'What the work came to' }
    )
  },
  {
    ...strict,
    $id: 'ImagesResponse',
    description: 'Painted pictures',
    examples: [
      {
        model: 'lavit-mini',
        images: [
          {
            media_type: 'image/png',
            data: examplePicture,
            width: 24,
            height: 24,
            seed: 7,
            visual_tokens: [17, 902, 3071]
          }
        ],
        usage: { prompt_tokens: 6, visual_tokens: 3, steps: 8 }
      }
    ]
  }
)

export const generateSchemas = [
  TextPart,
  ImagePart,
  VisualTokensPart,
  PromptPart,
  GenerateRequest,
  DetokenizeRequest,
  GeneratedImage,
  ImagesResponse
]
export type PromptPart = Static<typeof PromptPart>
export type GenerateRequest = Static<typeof GenerateRequest>
export type DetokenizeRequest = Static<typeof DetokenizeRequest>
export type ImagesResponse = Static<typeof ImagesResponse>
