/** What is asked to paint: of a prompt, or of visual tokens. */
import { Type, type Static } from 'typebox'
import { VisualTokens, exampleImage, exampleTokens, ref, strict } from './common.ts'
import { drawOptions, jobOptions, n, pictureOptions, seed, stream } from './options.ts'
import { imagesSchemas } from './images.ts'
import { Prompt, promptSchemas } from './prompt.ts'

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

export const GenerateRequest = Type.Object(
  {
    prompt: Prompt,
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
    previews: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 4,
        description:
          'Of a streamed answer: how many pictures are painted of the first tokens of each; they are charged, and ' +
          'there are fewer where a picture has few tokens. 0 if not given'
      })
    ),
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
    examples: [{ visual_tokens: exampleTokens, seed: 7 }]
  }
)

export const generateSchemas = [...promptSchemas, GenerateRequest, DetokenizeRequest, ...imagesSchemas]
export type GenerateRequest = Static<typeof GenerateRequest>
export type DetokenizeRequest = Static<typeof DetokenizeRequest>
