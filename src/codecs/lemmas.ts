/**
 * English text to the base forms of its nouns and verbs, in a thread of its own: its dictionaries, a third of what the
 * server's heap would hold, would be looked through whenever that is cleaned.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

type Waiting = { resolve: (lemmas: string) => void; reject: (error: Error) => void }

// Source and build differ in the extension only.
const entry = new URL(`./tagger${extname(import.meta.url)}`, import.meta.url)
let tagger: ReturnType<typeof startTagger> | undefined

/**
 * Lower case; nouns and verbs become their lemma, other tokens stay; tokens are joined with one space (`do n't`). This
 * is the official rule with another tagger than the official spaCy (`en_core_web_sm`): the two differ on some words.
 * The first text starts the tagger, and waits half a second for it.
 */
export async function lemmatise (text: string): Promise<string> {
  tagger ??= startTagger()
  return await tagger(text)
}

/** Holds nobody up who wants to end while it rests. */
function startTagger () {
  const waiting: Waiting[] = []
  const thread = new Worker(entry)
  thread.on('message', (lemmas: string) => {
    waiting.shift()?.resolve(lemmas)
    if (waiting.length === 0) thread.unref()
  })
  thread.on('error', end)
  thread.on('exit', () => end(new Error('the tagger has ended')))
  return ask

  async function ask (text: string): Promise<string> {
    return await new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      thread.ref()
      thread.postMessage(text)
    })
  }

  /** The next text starts another one. */
  function end (error: Error) {
    if (tagger === ask) tagger = undefined
    for (const { reject } of waiting.splice(0)) reject(error)
  }
}
