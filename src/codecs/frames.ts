/** Messages over a stream of bytes: words, as JSON, and bytes that go with them. */
import type { Writable } from 'node:stream'

const headBytes = 8 // the lengths of both

/** Sends one message, at once. */
export function sendFrame (stream: Writable, words: unknown, bytes: Uint8Array = new Uint8Array()): void {
  const text = JSON.stringify(words)
  const head = Buffer.allocUnsafe(headBytes + Buffer.byteLength(text))
  head.writeUInt32LE(head.length - headBytes)
  head.writeUInt32LE(bytes.length, 4)
  head.write(text, headBytes)
  stream.cork()
  stream.write(head)
  if (bytes.length > 0) stream.write(bytes)
  stream.uncork()
}

/** Takes chunks as they come, and gives each message to `onFrame` once it is whole. */
export function createFrames<Words> (onFrame: (words: Words, bytes: Buffer) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = []
  let held = 0
  let awaited = headBytes
  return chunk => {
    chunks.push(chunk)
    held += chunk.length
    while (held >= awaited) {
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      chunks = [all]
      const bytesFrom = headBytes + all.readUInt32LE(0)
      const end = bytesFrom + all.readUInt32LE(4)
      awaited = end
      if (held < end) return
      chunks = [all.subarray(end)]
      held -= end
      awaited = headBytes
      onFrame(JSON.parse(all.toString('utf8', headBytes, bytesFrom)), all.subarray(bytesFrom, end))
    }
  }
}
