/**
 * What becomes of the text that the language model wrote: cut to the first sentence or answer, and put into base forms.
 */
import type { Postprocess } from '../schemas/understanding.ts'
import { lemmatise } from '../codecs/lemmas.ts'

const answerEnds = ['\n', 'question:', 'Long answer:', ',', '.']

/** Spaces around the text go first; one before the cut stays, as in the official model. */
export async function postprocess (written: string, rule: Postprocess): Promise<string> {
  const text = written.trim()
  switch (rule) {
    case 'none':
      return text
    case 'first_sentence':
      return before(text, '.')
    case 'short_answer':
      return shortAnswer(text)
    case 'lemmatised_answer':
      return await lemmatise(shortAnswer(text))
  }
}

function shortAnswer (text: string) {
  return answerEnds.reduce(before, text)
}

function before (text: string, mark: string) {
  return text.split(mark, 1)[0]!
}
