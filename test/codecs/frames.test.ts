import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { createFrames, sendFrame } from '../../src/codecs/frames.ts'

t.test('messages come out as they went in, however the stream is cut', async t => {
  const messages = fc.array(fc.tuple(fc.jsonValue(), fc.uint8Array({ maxLength: 300 })), { maxLength: 8 })
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 50 }), (messages, size) => {
      const stream = new PassThrough()
      for (const [words, bytes] of messages) sendFrame(stream, words, bytes)
      const sent: Buffer = stream.read() ?? Buffer.alloc(0)
      const heard: [string, number[]][] = []
      const take = createFrames<unknown>((words, bytes) => heard.push([JSON.stringify(words), [...bytes]]))
      for (let at = 0; at < sent.length; at += size) take(sent.subarray(at, at + size))
      t.strictSame(heard, messages.map(([words, bytes]) => [JSON.stringify(words), [...bytes]]))
    }),
    { numRuns: 50 }
  )
})

t.test('words alone are a message', t => {
  const stream = new PassThrough()
  sendFrame(stream, 'ready')
  createFrames<string>((words, bytes) => t.strictSame([words, bytes.length], ['ready', 0]))(stream.read())
  t.end()
})
