/** Prompts of texts, pictures and visual tokens. */
import { Type, type Static } from 'typebox'
import { ImageInput, VisualTokens, ref, strict } from './common.ts'

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

type AnyPart = Static<typeof TextPart> | Static<typeof ImagePart> | Static<typeof VisualTokensPart>

export const PromptPart = Type.Unsafe<AnyPart>(
  Type.Unsafe({
    $id: 'PromptPart',
    description: 'A text, a picture or visual tokens, told apart by `type`',
    type: 'object',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [ref(TextPart), ref(ImagePart), ref(VisualTokensPart)]
  })
)

export const Prompt = Type.Union(
  [
    Type.String({ minLength: 1, description: 'A text alone' }),
    Type.Array(ref(PromptPart), { minItems: 1, maxItems: 16, description: 'Parts in their order' })
  ],
  {
    description:
      'A text, or texts, pictures and visual tokens in order. Space around a text does not matter; what says ' +
      'nothing at all is refused'
  }
)

export const promptSchemas = [TextPart, ImagePart, VisualTokensPart, PromptPart]
export type PromptPart = Static<typeof PromptPart>
