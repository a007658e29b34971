/** A thread: takes texts, and gives the lemmas of each in the same order. */
import { parentPort } from 'node:worker_threads'
import createTagger, { type ItsFunction } from 'wink-nlp'
import english from 'wink-eng-lite-web-model'

const { readDoc, its } = createTagger(english, ['pos'])

parentPort?.on('message', (text: string) => parentPort?.postMessage(lemmasOf(text)))

function lemmasOf (text: string): string {
  const tokens = readDoc(text.toLowerCase()).tokens()
  const [values, tags, lemmas] = [
    tokens.out(its.value),
    tokens.out(its.pos),
    tokens.out(its.lemma as ItsFunction<string>)
  ]
  return values.map((value, i) => (tags[i] === 'NOUN' || tags[i] === 'VERB' ? lemmas[i] : value)).join(' ')
}
