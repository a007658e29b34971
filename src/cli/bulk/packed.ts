/** Tar files that gzip has packed: unpacked as they are read, from their beginning on. */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Io } from '../io.ts'

/** Where something begins, and how many bytes it has. */
export type Place = [offset: number, bytes: number]

type Reader = ReturnType<typeof createReader>

const mostTimes = 200 // of the packed bytes: pictures are packed already, what is beside them seldom to a fiftieth
const least = 1 << 24 // that any file may come to
const mostOpen = 4 // files that pictures under way lie in

const readers = new WeakMap<Io, Map<string, Reader>>() // of each run

export function isPacked (path: string) {
  return /\.(tar\.gz|tgz)$/.test(path)
}

/** What a file holds. Rejects where it is not packed by gzip, or unpacks to more than what anybody would pack. */
export async function * unpack (path: string): AsyncGenerator<Buffer, undefined> {
  const file = createReadStream(path)
  const unpacked = pipeline(file, createGunzip(), () => {}) // an error ends what is read, too
  let bytes = 0
  for await (const chunk of unpacked) {
    bytes += chunk.length
    if (bytes > least + mostTimes * file.bytesRead) {
      throw new Error(`it unpacks to more than ${mostTimes} times its size`)
    }
    yield chunk
  }
}

/** The bytes of a member; fast where members are read in their order. */
export function readPacked (path: string, at: Place, io: Io): Promise<Buffer> {
  const open = readers.get(io) ?? new Map<string, Reader>()
  readers.set(io, open)
  const reader = open.get(path) ?? createReader(path)
  open.delete(path)
  open.set(path, reader) // the last one that was read
  for (const [other, { close }] of [...open].slice(0, -mostOpen)) {
    open.delete(other)
    close()
  }
  return reader.read(at)
}

function createReader (path: string) {
  let chunks: ReturnType<typeof unpack> | undefined
  let position = 0
  let rest: Buffer = Buffer.alloc(0)
  let last: Promise<unknown> = Promise.resolve()
  return { read: (at: Place) => inTurn(() => find(at)), close: () => inTurn(leave) }

  function inTurn<Result> (work: () => Promise<Result>): Promise<Result> {
    const turn = last.then(work)
    last = turn.catch(leave)
    return turn
  }

  async function find ([offset, bytes]: Place): Promise<Buffer> {
    if (offset < position) await leave()
    await pass(offset - position, () => {})
    const parts: Buffer[] = []
    await pass(bytes, part => parts.push(part))
    return Buffer.concat(parts)
  }

  /** Gives what comes next, up to so many bytes. */
  async function pass (count: number, give: (part: Buffer) => void) {
    chunks ??= unpack(path)
    for (let left = count; left > 0;) {
      if (rest.length === 0) {
        const { value, done } = await chunks.next()
        if (done) return
        rest = value
      }
      const part = rest.subarray(0, left)
      rest = rest.subarray(part.length)
      position += part.length
      left -= part.length
      give(part)
    }
  }

  async function leave () {
    await chunks?.return(undefined)
    chunks = undefined
    position = 0
    rest = Buffer.alloc(0)
  }
}
