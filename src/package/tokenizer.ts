/** What a package's `tokenizer.json` says of its ids. */
import { Type } from 'typebox'
import { Value } from 'typebox/value'

export const endOfText = '</s>'

const Added = Type.Object({
  added_tokens: Type.Array(Type.Object({ id: Type.Integer(), content: Type.String() }))
})
const Listed = Type.Object({ model: Type.Object({ vocab: Type.Object({ [endOfText]: Type.Integer() }) }) })
const Vocabulary = Type.Object({
  model: Type.Object({
    vocab: Type.Union([Type.Record(Type.String(), Type.Integer()), Type.Array(Type.Unknown())])
  })
})

/** Its id; nothing where the file knows none of the usual name. */
export function findEnd (tokenizer: unknown): number | undefined {
  const added = Value.Check(Added, tokenizer) ? tokenizer.added_tokens : []
  const listed = Value.Check(Listed, tokenizer) ? tokenizer.model.vocab[endOfText] : undefined
  return added.find(({ content }) => content === endOfText)?.id ?? listed
}

/** Of all its pieces; -1 where it lists none in a usual way. */
export function largestId (tokenizer: unknown): number {
  const added = Value.Check(Added, tokenizer) ? tokenizer.added_tokens.map(({ id }) => id) : []
  const { vocab } = Value.Check(Vocabulary, tokenizer) ? tokenizer.model : { vocab: [] }
  const listed = Array.isArray(vocab) ? [vocab.length - 1] : Object.values(vocab) // of a unigram model by their places
  return [...added, ...listed].reduce((most, id) => Math.max(most, id), -1)
}
