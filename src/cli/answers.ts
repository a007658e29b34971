/** What commands read of answers. No more is held against them: a server of another version may tell other things. */
import { Type, type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { serverAway } from './endings.ts'

const number = Type.Number()
const text = Type.String()
const texts = Type.Array(Type.Object({ text }))
const tokens = Type.Array(number)

const aboutPicture = {
  image_ref: Type.Optional(text),
  warnings: Type.Optional(Type.Array(Type.Object({ code: text, detail: text })))
}

/** Readers of answers. Each throws an Ending where no LaVIT server says such. */
export const answers = {
  caption: reader({ captions: texts, ...aboutPicture }),
  ask: reader({ answers: texts, ...aboutPicture }),
  tokenize: reader({ visual_tokens: tokens, seed: Type.Optional(number), ...aboutPicture }),
  paint: reader({ images: Type.Array(Type.Object({ data: text, media_type: text, seed: number })) }),
  estimate: reader({
    usage: Type.Record(text, number),
    exact: Type.Array(text),
    cost: number,
    position: number,
    start_seconds: number,
    seconds: number,
    ...aboutPicture
  }),
  models: reader({
    default: text,
    models: Type.Array(Type.Object({ name: text, version: text, state: text, device: text }))
  }),
  model: reader({ name: text, state: text }),
  bulkModel: reader({
    digests: Type.Optional(Type.Record(text, text)),
    limits: Type.Optional(Type.Object({ codebook_size: number }))
  }),
  bulkTask: reader({
    captions: Type.Optional(texts),
    answers: Type.Optional(texts),
    visual_tokens: Type.Optional(tokens),
    count: Type.Optional(number),
    keep_mask: Type.Optional(Type.Array(Type.Boolean())),
    familiarity: Type.Optional(number),
    usage: Type.Object({ visual_tokens: number, completion_tokens: Type.Optional(number) }),
    ...aboutPicture
  })
}

function reader<const Fields extends Record<string, TSchema>> (fields: Fields) {
  const schema = Type.Object(fields)
  return (body: Buffer): Static<typeof schema> => {
    const value = parse(body)
    if (Value.Check(schema, value)) return value
    const [misfit] = Value.Errors(schema, value)
    const where = misfit?.instancePath || 'its JSON'
    throw serverAway(`the server answered, and not as a LaVIT server does: ${where} ${misfit?.message}`)
  }
}

function parse (body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw serverAway('the server answered with what is no JSON, and not as a LaVIT server does')
  }
}
