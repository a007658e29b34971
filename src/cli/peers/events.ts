/** Server-sent events of an answer: each is told, and the last one is the answer. */
import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { Answer, OnEvent } from './peer.ts'

/** The whole answer of a stream. Rejects where the stream ends before it. */
export async function followEvents (chunks: AsyncIterable<Uint8Array>, onEvent: OnEvent): Promise<Answer> {
  const texts = ReadableStream.from(chunks).pipeThrough(new TextDecoderStream())
  for await (const { event = '', data } of texts.pipeThrough(new EventSourceParserStream())) {
    if (event === 'done') return answerOf(200, data)
    const value: Record<string, unknown> = JSON.parse(data)
    if (event === 'error') return answerOf(Number(value.status), data)
    onEvent(event, value)
  }
  throw new Error('the stream ended before its answer')
}

function answerOf (status: number, body: string): Answer {
  return { status, header: () => undefined, body: Buffer.from(body) }
}
