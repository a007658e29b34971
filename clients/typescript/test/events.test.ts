/** The parser of event streams, on pieces of any size. */
import { deepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { messagesOf } from '../src/events.ts'

const text =
  ': a comment\nevent: token\r\ndata: {"delta": "grüß\u2028犬"}\r\n\r\ndata: one\rdata:two\r\rid: 7\n\nevent: none\n\n' +
  'event: done\ndata: {}\n\ndata: not ended'
const messages = [
  { event: 'token', data: '{"delta": "grüß\u2028犬"}' },
  { event: 'message', data: 'one\ntwo' },
  { event: 'done', data: '{}' }
]

t.test('messages do not depend on the pieces that they come in', async t => {
  const bytes = new TextEncoder().encode(text)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length })), async cuts => {
      const ends = [...cuts.sort((a, b) => a - b), bytes.length]
      const pieces = ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end))
      deepEqual(await collect(streamOf(pieces)), messages)
    })
  )
})

t.test('whoever stops reading cancels the body', async t => {
  let isCancelled = false
  const body = new ReadableStream({
    pull: controller => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
    cancel () {
      isCancelled = true
    }
  })
  for await (const { data } of messagesOf(body)) if (data === '1') break
  t.ok(isCancelled)
})

function streamOf (pieces: Uint8Array<ArrayBuffer>[]) {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start (controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    }
  })
}

async function collect (body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const all = []
  for await (const message of messagesOf(body)) all.push(message)
  return all
}
