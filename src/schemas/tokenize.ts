/** A picture to visual tokens. */
import { Type, type Static } from 'typebox'
import { Grid, ImageInput, aboutPicture, exampleImage, ref, seedRange, strict } from './common.ts'
import { jobOptions, pictureOptions, seed } from './options.ts'

export const TokenizeRequest = Type.Object(
  {
    image: ref(ImageInput),
    ...pictureOptions,
    seed,
    ...jobOptions
  },
  {
    ...strict,
    $id: 'TokenizeRequest',
    description: 'A picture, and which of its patches to keep',
    examples: [{ image: exampleImage, keep_threshold: 0.5 }]
  }
)

export const TokenizeResponse = Type.Object(
  {
    model: Type.String({ description: 'The model that answered' }),
    visual_tokens: Type.Array(Type.Integer(), {
      description: 'Codebook indices (0-based), in raster order of the kept patches; none where a draw kept no patch'
    }),
    count: Type.Integer({ description: 'Number of visual tokens' }),
    grid: ref(Grid),
    keep_mask: Type.Array(Type.Boolean(), { description: 'Whether each patch of the grid stayed, row by row' }),
    keep_probabilities: Type.Array(Type.Number(), { description: "The selector's score of each patch, row by row" }),
    seed: Type.Optional(
      Type.Integer({ ...seedRange, description: 'The seed of the draw, when `selection` is `sample`' })
    ),
    ...aboutPicture,
    usage: Type.Object(
      {
        visual_tokens: Type.Integer({ description: 'Of the picture' }),
        patches: Type.Integer({ description: 'Of the grid' })
      },
      { ...strict, description: 'What the work came to' }
    )
  },
  {
    ...strict,
    $id: 'TokenizeResponse',
    description: 'The visual tokens of a picture',
    examples: [
      {
        model: 'lavit-mini',
        visual_tokens: [17, 902],
        count: 2,
        grid: { rows: 2, columns: 2 },
        keep_mask: [false, true, true, false],
        keep_probabilities: [0.03, 0.98, 0.71, 0.2],
        familiarity: 0.98,
        usage: { visual_tokens: 2, patches: 4 }
      }
    ]
  }
)

export type TokenizeRequest = Static<typeof TokenizeRequest>
export type TokenizeResponse = Static<typeof TokenizeResponse>
