/** What several routes share on the wire: pictures, visual tokens, and what is doubted of them. */
import { Type, type Static, type TSchema } from 'typebox'

/** Options of objects that refuse unknown fields. */
export const strict = { additionalProperties: false } as const

/** A seed has 32 bits and no sign. */
export const seedRange = { minimum: 0, maximum: 4_294_967_295 } as const

/** Points at a schema registered by name, and keeps its type; with a description that holds in this place. */
export function ref<T extends TSchema> (schema: T, description?: string) {
  if (!('$id' in schema) || typeof schema.$id !== 'string') throw new Error('the schema has no name')
  return Type.Unsafe<Static<T>>({ ...Type.Ref(schema.$id), ...(description !== undefined && { description }) })
}

/** A picture that examples hold whole, as base64 of a PNG of 48 by 48: a fox on green, drawn from Fluent Emoji Flat. */
export const examplePicture =
  'iVBORw0KGgoAAAANSUhEUgAAADAAAAAwBAMAAAClLOS0AAAAMFBMVEVBoEf/gSz/36gmKCP8aiSijz3JhDL+pFpmpVDHvIeXuXE6fjyeVydjSjTk' +
  'zZLz2aA7LNbzAAAACXBIWXMAAAPoAAAD6AG1e1JrAAABEUlEQVQ4y2NgGGaAewOCRBE3tgZREBIZMBsbQ0h0LcbGxgYMDJvBJKpJxiBTICQyYBVx' +
  'cREFk2KoEoxAIUEGNhDZgCLR6AIUSksESjgGoEgEAkUEgUAEUwIsLijo4piAJgERFxRBl4BqEBRElxCEgwGRyD0oKHg2EYvE4YuCgpcPokq0hgoi' +
  'JMRCG1Bt8AEakwP2JyK02MuBQFDkzDFBcRALoYNTCQj0aoxt6z6BGAg7OEB8JU1jUxClpIVk+yKwyGQINQFJAmyW0uNJYCOR45bjEUjk8j2QxA8U' +
  'D/YBRYJvXr6vpKSPmhg4gKbM/KQJJF+gpUSuR2BrlH5hpHau+UBh/VcNmPmAY9XKVSsYhh0AAHMAVkO0jz4fAAAAAElFTkSuQmCC'
export const exampleImage = `data:image/png;base64,${examplePicture}`

/** Its visual tokens, as lavit-mini writes them. */
export const exampleTokens = [
  10406, 11966, 12454, 14014, 18981, 20048, 21029, 22096, 27173, 28197, 29221, 30245, 34446, 35365, 36389, 37413, 38437,
  42686, 43986, 44557, 45581, 47058, 51902, 52749, 53773
]

const ImageRef = Type.Object(
  {
    ref: Type.String({ description: 'A handle that an earlier answer returned', maxLength: 200 })
  },
  { ...strict, $id: 'ImageRef', description: 'A picture that the server was sent before' }
)

export const ImageInput = Type.Union(
  [
    Type.String({
      description:
        'A data URL (`data:image/png;base64,…`) or the plain base64 text, of either alphabet, in lines or not; ' +
        'an https URL where the server is allowed to fetch pictures',
      minLength: 1
    }),
    ref(ImageRef)
  ],
  { $id: 'ImageInput', description: 'A picture: PNG, JPEG, WebP, GIF (first frame) or AVIF, told by its content' }
)

export type ImageInput = Static<typeof ImageInput>

export const VisualTokens = Type.Array(Type.Integer({ minimum: 0 }), {
  $id: 'VisualTokens',
  minItems: 1,
  maxItems: 4096,
  description: 'Codebook indices (0-based), in raster order of the kept patches',
  examples: [[17, 902, 3071]]
})

export const Grid = Type.Object(
  {
    rows: Type.Integer({ description: 'Patches down' }),
    columns: Type.Integer({ description: 'Patches across' })
  },
  { ...strict, $id: 'Grid', description: 'Patches of a picture' }
)

export const Warning = Type.Object(
  {
    code: Type.String({
      description:
        'Stable name of this kind of warning; `outside_domain` where the picture is unlike all that the model knows'
    }),
    detail: Type.String({ description: 'What to make of the answer' })
  },
  {
    ...strict,
    $id: 'Warning',
    description: 'A reason not to trust an answer',
    examples: [
      {
        code: 'outside_domain',
        detail: 'The picture is unlike what this model knows (familiarity 0.012, below 0.33): the answer may be wrong'
      }
    ]
  }
)

/** What an answer about a picture says of the picture: the handle to come back with, and the model's doubts. */
export const aboutPicture = {
  image_ref: Type.Optional(
    Type.String({
      description:
        'Stands for the picture in later requests (`"image": {"ref": …}`): nothing is uploaded, decoded or encoded ' +
        'again, and patches may be chosen anew. Kept while there is room; one that is gone is answered with 410',
      examples: ['img_2w1bYQm0c8t9yq5kT3n7vEx4Zp6RfHsA']
    })
  ),
  familiarity: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'How much the picture is like what the model knows; of a model of a closed domain'
    })
  ),
  warnings: Type.Optional(
    Type.Array(ref(Warning), {
      description: 'Only where there are any: the familiarity of the picture is below the threshold of the model'
    })
  )
}

export const commonSchemas = [ImageRef, ImageInput, VisualTokens, Grid, Warning]
export type Warning = Static<typeof Warning>
