/** `manifest.json`: everything the server knows about a model package. One file, checked when a package is opened. */
import { Type, type Static } from 'typebox'
import { SelectionRule } from '../schemas/options.ts'
import { PaintDefaults, TextDefaults } from './defaults.ts'
import { Graphs, PackageFile } from './files.ts'
import { PixelDecoderShape } from './pixel-decoder.ts'
import { Count, strict } from './terms.ts'

const TokenId = Type.Integer({ minimum: 0 })

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
    pixel_decoder: Type.Optional(PixelDecoderShape),
    graphs: Graphs,
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
