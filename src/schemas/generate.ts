/** Text, pictures or visual tokens to pictures. */
import { Type, type Static } from 'typebox'
import { ImageInput, VisualTokens, drawOptions, examplePicture, jobOptions, n, pictureOptions, ref, seed, stream, strict } from './common.ts'

const guidance = { minimum: 1, maximum: 100 }
const size = Type.Optional(Type.String({ maxLength: 100, description: 'WIDTHxHEIGHT, one of the model\'s sizes' }))
const steps = Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: 'Paint steps; 0 paints with the painter alone, where the model has one' }))
const format = Type.Optional(Type.Enum(['png', 'webp', 'jpeg'], { default: 'png', description: 'File format of the pictures' }))

const PromptPart = Type.Unsafe<
  | { type: 'text', text: string }
  | { type: 'image', image: ImageInput }
  | { type: 'visual_tokens', visual_tokens: number[] }
>(Type.Unsafe({
  $id: 'PromptPart',
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    Type.Object({ type: Type.Literal('text'), text: Type.String() }, strict),
    Type.Object({ type: Type.Literal('image'), image: ref(ImageInput) }, strict),
    Type.Object({ type: Type.Literal('visual_tokens'), visual_tokens: ref(VisualTokens) }, strict)
  ]
}))

export const GenerateRequest = Type.Object({
  prompt: Type.Union([
    Type.String({ minLength: 1 }),
    Type.Array(ref(PromptPart), { minItems: 1, maxItems: 16 })
  ], { description: 'A text, or texts, pictures and visual tokens in order. Space around a text does not matter; what says nothing at all is refused' }),
  ...pictureOptions,
  n,
  size,
  seed,
  guidance_scale: Type.Optional(Type.Number({ ...guidance, description: 'Of the language model; 1 is off. The default is the model\'s, which may have another for prompts with pictures or visual tokens' })),
  decoder_guidance_scale: Type.Optional(Type.Number({ ...guidance, description: 'Of the pixel decoder; 1 is off' })),
  steps,
  ...drawOptions,
  format,
  stream,
  ...jobOptions
}, { ...strict, $id: 'GenerateRequest', examples: [{ prompt: 'a red apple to the left of a dog', seed: 7 }] })

export const DetokenizeRequest = Type.Object({
  visual_tokens: ref(VisualTokens),
  seed,
  steps,
  guidance_scale: Type.Optional(Type.Number({ ...guidance, description: 'Of the pixel decoder; 1 is off' })),
  size,
  format,
  ...jobOptions
}, { ...strict, $id: 'DetokenizeRequest', examples: [{ visual_tokens: [17, 902, 3071], seed: 7 }] })

const GeneratedImage = Type.Object({
  media_type: Type.Enum(['image/png', 'image/webp', 'image/jpeg']),
  data: Type.String({ description: 'The file in base64' }),
  width: Type.Integer(),
  height: Type.Integer(),
  seed: Type.Integer(),
  visual_tokens: ref(VisualTokens)
}, { ...strict, $id: 'GeneratedImage' })

export const ImagesResponse = Type.Object({
  model: Type.String(),
  images: Type.Array(ref(GeneratedImage)),
  usage: Type.Object({
    prompt_tokens: Type.Integer({ description: 'Of the texts and pictures that were sent' }),
    visual_tokens: Type.Integer({ description: 'Of all pictures of the answer' }),
    steps: Type.Integer({ description: 'Paint steps of each picture' })
  }, strict)
}, {
  ...strict,
  $id: 'ImagesResponse',
  examples: [{
    model: 'lavit-mini',
    images: [{ media_type: 'image/png', data: examplePicture, width: 24, height: 24, seed: 7, visual_tokens: [17, 902, 3071] }],
    usage: { prompt_tokens: 6, visual_tokens: 3, steps: 8 }
  }]
})

export const generateSchemas = [PromptPart, GenerateRequest, DetokenizeRequest, GeneratedImage, ImagesResponse]
export type PromptPart = Static<typeof PromptPart>
export type GenerateRequest = Static<typeof GenerateRequest>
export type DetokenizeRequest = Static<typeof DetokenizeRequest>
export type ImagesResponse = Static<typeof ImagesResponse>
