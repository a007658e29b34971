/** The lines of a file, however long it is, as bytes. */
import { createReadStream } from 'node:fs'

/** `number` counts from 1; a line with more bytes than may be has none. */
export type Line = { number: number; bytes?: Buffer }

const newline = 0x0a

/** One after the other, without the blank ones. Memory holds one line. */
export async function * readLines (path: string, mostBytes: number): AsyncGenerator<Line> {
  let parts: Buffer[] = []
  let length = 0
  let number = 0
  for await (const chunk of createReadStream(path)) {
    for (let from = 0; from <= chunk.length;) {
      const end = chunk.indexOf(newline, from)
      const part = chunk.subarray(from, end === -1 ? chunk.length : end)
      length += part.length
      if (length <= mostBytes) parts.push(part)
      if (end === -1) break
      yield * take()
      from = end + 1
    }
  }
  yield * take()

  function * take (): Generator<Line> {
    const bytes = length <= mostBytes ? Buffer.concat(parts) : undefined
    parts = []
    length = 0
    number++
    if (bytes === undefined) yield { number }
    else if (!isBlank(bytes)) yield { number, bytes }
  }
}

function isBlank (bytes: Buffer) {
  return bytes.length < 1000 && bytes.toString('latin1').trim() === ''
}
