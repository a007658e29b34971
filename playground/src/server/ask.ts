/** Asks the server that the page came from, below whatever path, and turns its refusals into problems. */
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { retryAfterOf } from '../../../src/bulk/retry-after.ts'
import { key } from './key.ts'

export const base = new URL('.', document.baseURI).href

/** What the server or the way to it said in place of an answer. */
export class Problem extends Error {
  readonly code: string
  readonly retrySeconds: number | undefined

  constructor (code: string, detail: string, retrySeconds?: number) {
    super(detail)
    this.code = code
    this.retrySeconds = retrySeconds
  }
}

/** Throws a Problem, of code `gone` where nothing answers; what the signal ended throws the signal's reason. */
export async function ask (path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  if (key.value) headers.set('authorization', `Bearer ${key.value}`)
  const answer = await fetch(base + path, { ...init, headers }).catch(() => {
    init.signal?.throwIfAborted()
    throw new Problem('gone', 'The server does not answer')
  })
  if (!answer.ok) throw await problemOf(answer)
  return answer
}

/** The text of an answer; a body that breaks off is a Problem, too. */
export async function askText (path: string, init: RequestInit = {}): Promise<string> {
  const answer = await ask(path, init)
  return await answer.text().catch(() => {
    init.signal?.throwIfAborted()
    throw new Problem('gone', 'The server broke off its answer')
  })
}

/** An answer in JSON; a Problem where another program answers, such as a proxy that asks for a login. */
export async function askJson<T> (path: string, init?: RequestInit): Promise<T> {
  const text = await askText(path, init)
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem('unknown', 'What answers at this address is no LaVIT server')
  }
}

/** The events of a streamed answer in turn, up to `done`; one that ends before is a Problem, too. */
export async function * follow (path: string, init: RequestInit): AsyncGenerator<{ event: string; data: string }> {
  const { body } = await ask(path, init)
  if (!body) throw new Problem('gone', 'The answer was empty')
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader()
  try {
    for (;;) {
      const { done, value } = await events.read()
      if (done) throw new Error('the answer ended before it was done')
      if (value.event === 'error') throw asProblem(JSON.parse(value.data))
      yield { event: value.event ?? '', data: value.data }
      if (value.event === 'done') return
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    init.signal?.throwIfAborted()
    throw new Problem('gone', 'The server broke off its answer')
  }
}

async function problemOf (answer: Response): Promise<Problem> {
  const retry = Math.ceil(retryAfterOf(answer.headers.get('retry-after')) ?? 0) || undefined
  const document: unknown = await answer.json().catch(() => undefined)
  return asProblem(document, retry, `The server answered ${answer.status}`)
}

function asProblem (document: unknown, retrySeconds?: number, otherwise = 'The server refused'): Problem {
  const { code, detail } = { code: 'unknown', detail: otherwise, ...Object(document) }
  return new Problem(String(code), String(detail), retrySeconds)
}
