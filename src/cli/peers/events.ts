/** Server-sent events of an answer: each is told, and the last one is the answer. */
import type { Answer, OnEvent } from './peer.ts'

/** The whole answer of a stream. Rejects where the stream ends before it. */
export async function followEvents (chunks: AsyncIterable<Uint8Array>, onEvent: OnEvent): Promise<Answer> {
  for await (const { name, data } of readEvents(chunks)) {
    if (name === 'done') return answerOf(200, data)
    const value: Record<string, unknown> = JSON.parse(data)
    if (name === 'error') return answerOf(Number(value.status), data)
    onEvent(name, value)
  }
  throw new Error('the stream ended before its answer')
}

function answerOf (status: number, body: string): Answer {
  return { status, header: () => undefined, body: Buffer.from(body) }
}

/** Named events with data of one line, as the server writes them; comments are none. */
async function * readEvents (chunks: AsyncIterable<Uint8Array>) {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const [, name, data] = /^event: (.+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? []
      text = text.slice(end + 2)
      if (name !== undefined && data !== undefined) yield { name, data }
    }
  }
}
