/** The server's end of one decoder process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ServerError } from '../errors.ts'
import type { FromDecoder, Order } from './decoder.ts'
import { createFrames, sendFrame } from './frames.ts'
import type { PictureFile, PictureWork } from './pixels.ts'

export type Decoder = ReturnType<typeof startDecoder>

// Source and build differ in the extension only.
const entry = new URL(`./decoder${extname(import.meta.url)}`, import.meta.url)

/**
 * A process that decodes one picture at a time. It holds nobody up who wants to end while it rests. Throws `queue_full`
 * where the system has no room for one more; where that shows later, its work rejects so.
 */
export function startDecoder (onExit: (decoder: Decoder) => void) {
  const { child, stdin, stdout } = spawnDecoder()
  const decoder = {
    pid: child.pid,
    /** How many it has been given. */
    pictures: () => pictures,
    work,
    kill: () => {
      child.kill('SIGKILL')
    }
  }
  let pictures = 0
  let isReady = false
  let ended: Error | undefined
  let hear = (_news: FromDecoder, _result: Buffer) => {}
  let fail = (_error: Error) => {}
  child.on('error', end)
  child.on('exit', () => end(new Error('the decoder process ended')))
  stdin.on('error', () => {}) // its end is told by `exit`
  stdout.on('data', createFrames<FromDecoder>((news, result) => {
    isReady = true
    hear(news, result)
  }))
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
    try {
      return await new Promise((resolve, reject) => {
        if (ended) return reject(ended)
        fail = reject
        hear = (news, result) => {
          if (news === 'ready') onBegun()
          else if (news === 'done') resolve(result)
          else reject(unreadableError())
        }
        sendFrame(stdin, { file, work } satisfies Order, bytes)
        if (isReady) onBegun()
      })
    } finally {
      rest()
    }
  }

  function rest () {
    hear = () => {}
    fail = () => {}
    child.unref()
  }

  function end (error: Error) {
    ended ??= child.pid === undefined ? noRoomError(error) : error
    onExit(decoder)
    fail(ended)
  }
}

function spawnDecoder () {
  const execArgv = entry.pathname.endsWith('.ts') ? process.execArgv : [] // TypeScript needs its parent's loaders
  let child: ChildProcess
  try {
    child = spawn(process.execPath, [...execArgv, fileURLToPath(entry)], { stdio: ['pipe', 'pipe', 'ignore'] })
  } catch (error) {
    throw noRoomError(error)
  }
  const { stdin, stdout } = child
  if (stdin && stdout) return { child, stdin, stdout }
  child.on('error', () => {}) // file descriptors ran out, which comes as an event, too
  throw noRoomError()
}

export function noRoomError (cause?: unknown) {
  return new ServerError('queue_full', 'The server has no room for one more process that decodes pictures', {
    retryAfterSeconds: 1,
    cause
  })
}

export function unreadableError () {
  return new ServerError('image_unreadable', 'The picture is truncated or corrupt')
}
