/** Streamed answers as async iterators. */
import { errorOfProblem, errorOfSilence, isProblem, LavitError, unexpected } from './error.ts'
import { messagesOf } from './events.ts'
import type { Request, Send } from './http.ts'
import type { CallOptions } from './types.ts'

/**
 * Events up to `done`. It is sent when the first one is asked for; whoever leaves the loop ends the work on the server.
 * Throws `LavitError` for the event `error`, and `stream_broken` where a stream ends without its last event.
 */
export async function * stream<Event> (
  send: Send,
  prepare: () => Promise<Request>,
  options: CallOptions = {}
): AsyncGenerator<Event, void> {
  const leaving = new AbortController()
  const ends = options.signal ? AbortSignal.any([options.signal, leaving.signal]) : leaving.signal
  try {
    const request = await prepare()
    const messages = await send(request, open, { ...options, signal: ends })
    for await (const { event, data } of messages) {
      const value = parse(data)
      if (event === 'error') throw isProblem(value) ? errorOfProblem(value) : unexpectedEvent(data)
      yield { event, data: value } as Event
      if (event === 'done') return
    }
    throw new LavitError('stream_broken', 'the answer ended before it was done')
  } finally {
    leaving.abort()
  }
}

/** Its messages. Throws `unexpected_answer` for what is no stream of events, as the page of a proxy. */
async function open (response: Response, signal: AbortSignal) {
  const mediaType = response.headers.get('content-type') ?? ''
  if (!mediaType.startsWith('text/event-stream')) throw unexpected(response, await response.text())
  return read(response.body, signal)
}

function parse (data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw unexpectedEvent(data, cause)
  }
}

/** Of another program at this address. */
function unexpectedEvent (data: string, cause?: unknown) {
  return new LavitError('unexpected_answer', `the event is ${data.slice(0, 200)}`, { cause })
}

async function * read (body: ReadableStream<Uint8Array<ArrayBuffer>> | null, signal: AbortSignal) {
  if (!body) return
  try {
    yield * messagesOf(body)
  } catch (cause) {
    signal.throwIfAborted()
    const broken = new LavitError('stream_broken', 'the connection broke before the answer was done', { cause })
    throw errorOfSilence(cause) ?? broken
  }
}
