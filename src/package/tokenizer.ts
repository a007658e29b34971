/** What a package's `tokenizer.json` says of the end of a text. */
import { Type } from 'typebox'
import { Value } from 'typebox/value'

export const endOfText = '</s>'

const Added = Type.Object({
  added_tokens: Type.Array(Type.Object({ id: Type.Integer(), content: Type.String() }))
})
const Listed = Type.Object({ model: Type.Object({ vocab: Type.Object({ [endOfText]: Type.Integer() }) }) })

/** Its id; nothing where the file knows none of the usual name. */
export function findEnd (tokenizer: unknown): number | undefined {
  const added = Value.Check(Added, tokenizer) ? tokenizer.added_tokens : []
  const listed = Value.Check(Listed, tokenizer) ? tokenizer.model.vocab[endOfText] : undefined
  return added.find(({ content }) => content === endOfText)?.id ?? listed
}
