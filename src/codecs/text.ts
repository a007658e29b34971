/** Text to token ids and back, by the tokenizer of a model package. */
import { Tokenizer } from '@huggingface/tokenizers'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const AddedToken = Type.Object({ id: Type.Integer(), special: Type.Boolean() })
const Definition = Type.Object({ added_tokens: Type.Optional(Type.Array(AddedToken)) })

export type TextCodec = ReturnType<typeof createTextCodec>

/**
 * Takes the parsed `tokenizer.json`; throws where it is none. Special ids never come out of `encode`, whatever the text
 * spells.
 */
export function createTextCodec (definition: unknown) {
  Value.Assert(Definition, definition)
  const added = definition.added_tokens ?? []
  const specialIds = new Set(added.filter(({ special }) => special).map(({ id }) => id))
  const decoder = new Tokenizer(definition, {})
  // so that `</s>` is four characters
  const encoder = new Tokenizer({ ...definition, added_tokens: added.filter(({ special }) => !special) }, {})

  return {
    encode (text: string): number[] {
      return encoder.encode(text, { add_special_tokens: false }).ids.filter((id: number) => !specialIds.has(id))
    },
    decode (ids: number[]): string {
      const shown = ids.filter(id => !specialIds.has(id))
      return shown.length === 0 ? '' : decoder.decode(shown, { clean_up_tokenization_spaces: false })
    }
  }
}
