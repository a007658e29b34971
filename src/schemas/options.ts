/** What several jobs take beside their pictures and words. */
import { Type, type Static } from 'typebox'
import { seedRange } from './common.ts'

/** What every job takes. */
export const jobOptions = {
  model: Type.Optional(
    Type.String({ maxLength: 200, description: 'Name of a model; the default is the configured one' })
  ),
  priority: Type.Optional(
    Type.Enum(['interactive', 'bulk'], {
      description: '`bulk` work is done when no `interactive` work waits; `interactive` if not given'
    })
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
    ...seedRange,
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
