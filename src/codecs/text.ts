/** Text to token ids and back, by the tokenizer of a model package. */
import { Tokenizer } from '@huggingface/tokenizers'

type AddedToken = { id: number; special: boolean }

export type TextCodec = ReturnType<typeof createTextCodec>

/** Takes the parsed `tokenizer.json`. Special ids never come out of `encode`, whatever the text spells. */
export function createTextCodec (tokenizerJson: unknown) {
  const definition = tokenizerJson as { added_tokens?: AddedToken[] }
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
