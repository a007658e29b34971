/** The server's end of one decoder process. */
import { fork } from 'node:child_process'
import { Socket } from 'node:net'
import { extname } from 'node:path'
import { ServerError } from '../errors.ts'
import type { FromDecoder, Order } from './decoder.ts'
import type { PictureFile, PictureWork } from './pixels.ts'

export type Decoder = ReturnType<typeof startDecoder>

// Source and build differ in the extension only.
const entry = new URL(`./decoder${extname(import.meta.url)}`, import.meta.url)

/** A process that decodes one picture at a time. It holds nobody up who wants to end while it rests. */
export function startDecoder (onExit: (decoder: Decoder) => void) {
  const execArgv = entry.pathname.endsWith('.ts') ? process.execArgv : [] // TypeScript needs its parent's loaders
  const child = fork(entry, [], { execArgv, stdio: ['pipe', 'pipe', 'ignore', 'ipc'] })
  const decoder = {
    pid: child.pid,
    /** How many it has been given. */
    pictures: () => pictures,
    work,
    kill: () => {
      child.kill('SIGKILL')
    }
  }
  const [input, output] = [child.stdin, child.stdout]
  let pictures = 0
  let fail = (_error: Error) => {}
  child.on('error', error => fail(error))
  child.on('exit', () => {
    onExit(decoder)
    fail(new Error('the decoder process ended'))
  })
  input?.on('error', () => {}) // its end is told by `exit`
  for (const stream of child.stdio) if (stream instanceof Socket) stream.unref()
  rest()
  return decoder

  /**
   * `onBegun` hears when the process turns to it. Rejects with `image_unreadable`, or with another error when the
   * process ends.
   */
  async function work ({ bytes, ...file }: PictureFile, work: PictureWork, onBegun: () => void): Promise<Buffer> {
    pictures++
    child.ref()
    child.channel?.ref()
    const chunks: Buffer[] = []
    let length: number | undefined
    try {
      return await new Promise((resolve, reject) => {
        const finish = () => {
          if (length !== undefined && lengthOf(chunks) === length) resolve(Buffer.concat(chunks))
        }
        fail = reject
        output?.on('data', chunk => {
          chunks.push(chunk)
          finish()
        })
        child.on('message', (news: FromDecoder) => {
          if (news === 'begun') return onBegun()
          if (news === 'unreadable') return reject(unreadableError())
          length = news.length
          finish()
        })
        if (child.exitCode !== null || child.signalCode !== null) {
          return reject(new Error('the decoder process has ended'))
        }
        child.send({ file, length: bytes.length, work } satisfies Order, error => {
          if (error) reject(error)
        })
        input?.write(bytes)
      })
    } finally {
      fail = () => {}
      output?.removeAllListeners('data')
      child.removeAllListeners('message')
      rest()
    }
  }

  function rest () {
    child.unref()
    child.channel?.unref()
  }
}

export function unreadableError () {
  return new ServerError('image_unreadable', 'The picture is truncated or corrupt')
}

function lengthOf (chunks: Buffer[]) {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}
