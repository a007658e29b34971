/** What several routes share on the wire: pictures, visual tokens, sampling options, problems. */
import { Type, type Static, type TSchema } from 'typebox'

/** Options of objects that refuse unknown fields. */
export const strict = { additionalProperties: false } as const

/** Points at a schema registered by name, and keeps its type; with a description that holds in this place. */
export function ref<T extends TSchema> (schema: T, description?: string) {
  const id = (schema as unknown as { $id: string }).$id
  return Type.Unsafe<Static<T>>({ ...Type.Ref(id), ...(description !== undefined && { description }) })
}

/** A picture that examples hold whole, as base64 of a PNG: a yellow disc on blue, 24 by 24. */
export const examplePicture =
  'iVBORw0KGgoAAAANSUhEUgAAABgAAAAYAgMAAACdGdVrAAAADFBMVEVAi8D34EanunvSzl7KnoZ+AAAACXBIWXMAAAsTAAALEwEAmpwYAAAA' +
  'RUlEQVQI12NgwAt0K0AkU2hoA5DiDQ0tAFKqoaERQEo0NDQESE0NDQ0DUldDQ8OBVCgQICioIFQJVANUO9QwqNFQi3ADAIUdE+OWeJsOAAAA' +
  'AElFTkSuQmCC'
export const exampleImage = `data:image/png;base64,${examplePicture}`

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
        'A data URL (`data:image/png;base64,…`) or the plain base64 text, of either alphabet, in lines or not',
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
        detail: 'The picture is unlike what this model knows (familiarity 0.012, below 0.249): the answer may be wrong'
      }
    ]
  }
)

/** What an answer about a picture says of the model's doubts. */
export const doubts = {
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

/** What every job takes. */
export const jobOptions = {
  model: Type.Optional(
    Type.String({ maxLength: 200, description: 'Name of a model; the default is the configured one' })
  ),
  deadline_ms: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 86_400_000,
      description: 'Milliseconds after which the work is stopped and 504 answered'
    })
  )
}

export const seed = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 4_294_967_295,
    description:
      'The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or ' +
      'pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed ' +
      'that the answer tells of it'
  })
)
export const n = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 8, description: 'How many to make; 1 if not given' })
)
export const stream = Type.Optional(
  Type.Boolean({
    description:
      'Answers server-sent events, whatever `Accept` says; `false` answers none. Not given, `Accept: ' +
      'text/event-stream` asks for them'
  })
)

export const SelectionRule = Type.Enum(['threshold', 'sample'], {
  description:
    '`threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from ' +
    "`seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` " +
    'is given'
})

/** Which patches of a picture stay. */
export const pictureOptions = {
  selection: Type.Optional(SelectionRule),
  keep_threshold: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given'
    })
  ),
  min_visual_tokens: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N'
    })
  ),
  max_visual_tokens: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Keep at most the best-scored N patches of a picture' })
  )
}

export type PictureOptions = {
  selection?: Static<typeof SelectionRule>
  keep_threshold?: number
  min_visual_tokens?: number
  max_visual_tokens?: number
}

/** How a token is drawn; defaults are those of the model's manifest. */
export const drawOptions = {
  temperature: Type.Optional(
    Type.Number({ minimum: 0, maximum: 100, description: '0 always takes the likeliest token' })
  ),
  top_p: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Draws from the likeliest tokens that together have this probability; 1 is off'
    })
  ),
  top_k: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Draws from this many likeliest tokens; 0 is off' })
  )
}

const FieldError = Type.Object(
  {
    pointer: Type.String({ description: 'JSON pointer to the wrong field' }),
    message: Type.String({ description: 'What is wrong with it' })
  },
  { ...strict, $id: 'FieldError', description: 'What is wrong with one field' }
)

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A stable URI of this kind of problem' }),
    title: Type.String({ description: 'The kind of problem in words' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The status of the answer' }),
    detail: Type.String({ description: 'What went wrong this time' }),
    code: Type.String({ description: 'Stable name of this kind of problem' }),
    request_id: Type.String({ description: 'The id under which the log tells of the request' }),
    errors: Type.Optional(Type.Array(ref(FieldError), { description: 'Each wrong field' }))
  },
  {
    $id: 'Problem',
    description: 'A problem document (RFC 9457)',
    examples: [
      {
        type: 'urn:lavit:problem:invalid_field',
        title: 'Invalid field',
        status: 422,
        detail: 'top_p must be <= 1',
        code: 'invalid_field',
        request_id: '0a3c6c4e-6d5a-4c43-9a5b-2f0a3f2d9a51',
        errors: [{ pointer: '/top_p', message: 'must be <= 1' }]
      }
    ]
  }
)

export const commonSchemas = [ImageRef, ImageInput, VisualTokens, Grid, Warning, FieldError, Problem]
export type Warning = Static<typeof Warning>
export type Problem = Static<typeof Problem>
