/** A thread that puts texts into base forms: a tagger whose tables the server's own heap is better without. */
import { parentPort } from 'node:worker_threads'
import english from 'wink-eng-lite-web-model'
import createTagger, { type ItsFunction } from 'wink-nlp'

const { readDoc, its } = createTagger(english, ['pos'])
parentPort?.on('message', (text: string) => parentPort?.postMessage(lemmatise(text)))
parentPort?.postMessage('ready')

function lemmatise (text: string): string {
  const tokens = readDoc(text.toLowerCase()).tokens()
  const [values, tags, lemmas] = [
    tokens.out(its.value),
    tokens.out(its.pos),
    tokens.out(its.lemma as ItsFunction<string>)
  ]
  return values.map((value, i) => (tags[i] === 'NOUN' || tags[i] === 'VERB' ? lemmas[i] : value)).join(' ')
}
