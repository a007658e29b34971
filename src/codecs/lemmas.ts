/** English text to the base forms of its nouns and verbs. */
import type { ItsFunction, WinkMethods } from 'wink-nlp'

let tagger: Promise<WinkMethods> | undefined

/**
 * Lower case; nouns and verbs become their lemma, other tokens stay; tokens are joined with one space (`do n't`). This
 * is
 * the official rule with another tagger than the official spaCy (`en_core_web_sm`): the two differ on some words.
 */
export async function lemmatise (text: string): Promise<string> {
  const { readDoc, its } = await (tagger ??= openTagger())
  const tokens = readDoc(text.toLowerCase()).tokens()
  const [values, tags, lemmas] = [
    tokens.out(its.value),
    tokens.out(its.pos),
    tokens.out(its.lemma as ItsFunction<string>)
  ]
  return values.map((value, i) => (tags[i] === 'NOUN' || tags[i] === 'VERB' ? lemmas[i] : value)).join(' ')
}

/**
 * Opens the tagger, which holds up the event loop for a fifth of a second: before the server listens, not at its first
 * answer.
 */
export async function warmLemmatiser (): Promise<void> {
  tagger ??= openTagger()
  await tagger
}

async function openTagger () {
  const [{ default: createTagger }, { default: english }] = await Promise.all([
    import('wink-nlp'),
    import('wink-eng-lite-web-model')
  ])
  return createTagger(english, ['pos'])
}
