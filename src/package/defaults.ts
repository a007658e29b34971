/** What a model does when a request does not say otherwise. */
import { Type, type Static } from 'typebox'
import { Postprocess, mostBeams } from '../schemas/understanding.ts'
import { Count, Size, strict } from './terms.ts'

/** How text is drawn from the language model when a request does not say otherwise. */
export const TextDefaults = Type.Object(
  {
    num_beams: Type.Integer({ minimum: 1, maximum: mostBeams }),
    max_tokens: Count,
    min_tokens: Type.Integer({ minimum: 0 }),
    temperature: Type.Number({ minimum: 0, description: '0 is greedy' }),
    top_p: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    top_k: Type.Integer({ minimum: 0, description: '0 is off' }),
    repetition_penalty: Type.Number({ exclusiveMinimum: 0 }),
    length_penalty: Type.Number(),
    early_stopping: Type.Boolean({ description: 'Ends a beam search as soon as it has num_beams texts' }),
    postprocess: Postprocess
  },
  strict
)

/** How visual tokens are drawn and painted when a request does not say otherwise. */
export const PaintDefaults = Type.Object(
  {
    max_tokens: Count,
    min_tokens: Type.Integer({ minimum: 0 }),
    temperature: Type.Number({ minimum: 0 }),
    top_p: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    top_k: Type.Integer({ minimum: 0 }),
    guidance_scale: Type.Number({ minimum: 1, description: 'Language model; 1 is off' }),
    mixed_guidance_scale: Type.Number({
      minimum: 1,
      description: 'The same where the prompt holds pictures or visual tokens'
    }),
    decoder_guidance_scale: Type.Number({ minimum: 1, description: 'Pixel decoder; 1 is off' }),
    steps: Type.Integer({ minimum: 0, description: '0 paints with the painter alone, where the package has one' }),
    size: Size
  },
  strict
)

export type TextDefaults = Static<typeof TextDefaults>
export type PaintDefaults = Static<typeof PaintDefaults>
