/** What a manifest says of a pixel decoder. */
import { Type, type Static } from 'typebox'
import { Count, Size, strict } from './terms.ts'

/**
 * Ends of a noise schedule: `flow` is a straight line from noise to picture, `ddim` the deterministic sampler of the
 * named training schedule.
 */
export const NoiseSchedule = Type.Union([
  Type.Object({ kind: Type.Literal('flow') }, strict),
  Type.Object(
    {
      kind: Type.Literal('ddim'),
      train_steps: Count,
      beta_start: Type.Number(),
      beta_end: Type.Number(),
      steps_offset: Type.Integer({ minimum: 0 }),
      set_alpha_to_one: Type.Boolean()
    },
    strict
  )
])

export const PixelDecoderShape = Type.Object(
  {
    sizes: Type.Array(Size, { minItems: 1 }),
    latent_channels: Count,
    latent_scale: Count, // picture pixels for each latent place: 1 where the denoiser works on pixels
    scaling_factor: Type.Number({
      exclusiveMinimum: 0,
      description: 'Latents are divided by it before the autoencoder'
    }),
    max_steps: Count,
    schedule: NoiseSchedule
  },
  { ...strict, description: 'Absent, like the graph tokenizer_decoder, where the model cannot paint' }
)

export type PixelDecoderShape = Static<typeof PixelDecoderShape>
export type NoiseSchedule = Static<typeof NoiseSchedule>
