/** English text to the base forms of its nouns and verbs. */
import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

// Source and build differ in the extension only.
const entry = new URL(`./tagger${extname(import.meta.url)}`, import.meta.url)

let tagger: Promise<Tagger> | undefined

type Tagger = Awaited<ReturnType<typeof openTagger>>

/**
 * Lower case; nouns and verbs become their lemma, other tokens stay; tokens are joined with one space (`do n't`). This
 * is
 * the official rule with another tagger than the official spaCy (`en_core_web_sm`): the two differ on some words.
 */
export async function lemmatise (text: string): Promise<string> {
  const { ask } = await (tagger ??= openTagger())
  return ask(text)
}

/** Opens the tagger, which takes a third of a second: before the server listens, not at its first answer. */
export async function warmLemmatiser (): Promise<void> {
  tagger ??= openTagger()
  await tagger
}

/** A thread that answers in the order in which it is asked. It holds nobody up who wants to end while it rests. */
async function openTagger () {
  const execArgv = entry.pathname.endsWith('.ts') ? process.execArgv : [] // TypeScript needs its parent's loaders
  const thread = new Worker(entry, { execArgv })
  const asked: { resolve: (lemmas: string) => void; reject: (error: Error) => void }[] = []
  await once(thread, 'message') // ready; rejects with what ends it before
  thread.unref()
  thread.on('message', (lemmas: string) => {
    asked.shift()?.resolve(lemmas)
    if (asked.length === 0) thread.unref()
  })
  thread.on('error', error => {
    tagger = undefined // the next one asks another
    for (const { reject } of asked) reject(error)
  })

  return {
    ask (text: string): Promise<string> {
      thread.ref()
      return new Promise((resolve, reject) => {
        asked.push({ resolve, reject })
        thread.postMessage(text)
      })
    }
  }
}
