/** `manifest.json`: everything the server knows about a model package. One file, checked when a package is opened. */
import { Type, type Static } from 'typebox'
import { SelectionRule } from '../schemas/common.ts'
import { Postprocess } from '../schemas/understanding.ts'

const strict = { additionalProperties: false }
const Count = Type.Integer({ minimum: 1 })
const TokenId = Type.Integer({ minimum: 0 })
const FileName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', maxLength: 100 })

/** A file of the package, by name inside its folder. */
export const PackageFile = Type.Object(
  {
    file: FileName,
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    bytes: Count
  },
  strict
)

const Graph = Type.Object(
  {
    ...PackageFile.properties,
    data: Type.Optional(Type.Array(PackageFile, { description: 'External weight files of the graph' }))
  },
  strict
)

/** How text is drawn from the language model when a request does not say otherwise. */
export const TextDefaults = Type.Object(
  {
    num_beams: Count,
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
    size: Type.String({ pattern: '^[0-9]+x[0-9]+$' })
  },
  strict
)

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

export const Manifest = Type.Object(
  {
    schema: Type.Literal(1),
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$', maxLength: 64 }),
    family: Type.Literal('lavit'),
    version: Type.String(),
    description: Type.String(),
    image: Type.Object(
      {
        size: Count,
        grid: Type.Object({ rows: Count, columns: Count }, strict)
      },
      strict
    ),
    visual_tokenizer: Type.Object(
      {
        feature_dim: Count,
        codebook_size: Count,
        min_visual_tokens: Type.Integer({ minimum: 0, description: 'The best-scored patches that are always kept' }),
        selection: SelectionRule
      },
      strict
    ),
    language_model: Type.Object(
      {
        layers: Count,
        kv_heads: Count,
        head_dim: Count,
        hidden_size: Count,
        vocabulary_size: Count,
        max_length: Count,
        candidates: Type.Integer({ minimum: 1, description: 'How many ids the visual head gives for the next place' })
      },
      strict
    ),
    ids: Type.Object(
      {
        end: TokenId,
        image_start: TokenId,
        image_end: TokenId,
        visual_offset: TokenId
      },
      strict
    ),
    prompts: Type.Object(
      {
        question: Type.String({ description: 'Text after the picture; {question} is replaced' })
      },
      strict
    ),
    tasks: Type.Object({ caption: TextDefaults, vqa: TextDefaults, generate: PaintDefaults }, strict),
    pixel_decoder: Type.Optional(
      Type.Object(
        {
          sizes: Type.Array(Type.String({ pattern: '^[0-9]+x[0-9]+$' }), { minItems: 1, description: 'WIDTHxHEIGHT' }),
          latent_channels: Count,
          latent_scale: Count, // picture pixels for each latent place: 1 where the denoiser works on pixels
          scaling_factor: Type.Number({ description: 'Latents are divided by it before the autoencoder' }),
          max_steps: Count,
          schedule: NoiseSchedule
        },
        { ...strict, description: 'Absent, like the graph tokenizer_decoder, where the model cannot paint' }
      )
    ),
    graphs: Type.Object(
      {
        vision: Graph,
        token_predictor: Graph,
        merger_codes: Graph,
        merger_embeddings: Graph,
        language_model: Graph,
        text_head: Graph,
        visual_head: Graph,
        tokenizer_decoder: Type.Optional(Graph),
        painter: Type.Optional(Graph),
        denoiser: Type.Optional(Graph),
        autoencoder_decoder: Type.Optional(Graph),
        familiarity: Type.Optional(Graph)
      },
      strict
    ),
    familiarity: Type.Optional(
      Type.Object(
        {
          threshold: Type.Number({
            minimum: 0,
            maximum: 1,
            description: 'Pictures below it lie outside what the model knows'
          }),
          quality: Type.Record(Type.String(), Type.Unknown(), {
            description: 'False warnings, and how well each source outside is told apart'
          })
        },
        { ...strict, description: 'Of a model of a closed domain; goes together with the graph familiarity' }
      )
    ),
    tokenizer: PackageFile,
    provenance: Type.Record(Type.String(), Type.Unknown()),
    quality: Type.Record(Type.String(), Type.Unknown()),
    concepts: Type.Optional(Type.Array(Type.String()))
  },
  { ...strict, $id: 'Manifest' }
)

export type Manifest = Static<typeof Manifest>
export type PackageFile = Static<typeof PackageFile>
export type TextDefaults = Static<typeof TextDefaults>
export type PaintDefaults = Static<typeof PaintDefaults>
export type PixelDecoderShape = NonNullable<Manifest['pixel_decoder']>
export type NoiseSchedule = Static<typeof NoiseSchedule>
export type GraphName = keyof Manifest['graphs']
