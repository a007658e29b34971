/**
 * Processes that decode pictures, apart from the server: what a stranger's file does to a decoder, it does to that
 * process
 * alone, and a process can be ended in the midst of its work, which a thread cannot.
 */
import { ServerError } from '../errors.ts'
import { noRoomError, startDecoder, unreadableError, type Decoder } from './decoder-client.ts'
import type { PictureFile, PictureWork } from './pixels.ts'

export type DecodersOptions = {
  /** Processes at most; they are started when they are needed. */
  count: number
  /** How long one picture may take. */
  mostMs?: number
  /**
   * Pictures of more pixels are large: one process is kept free of them, and work on one that nobody waits for is cut
   * off.
   */
  largePixels?: number
  /** Pixels of all large pictures that are decoded at a time; a single one may have more. */
  mostPixels?: number
  /** Pixels of all pictures that wait; a single one may have more. */
  mostWaitingPixels?: number
  /** After so many pictures a process gives way to a fresh one, since allocators give back less than they take. */
  mostPictures?: number
}

type Task = {
  file: PictureFile
  work: PictureWork
  pixels: number
  decoder?: Decoder
  mayTryAgain: boolean
  settle: (outcome: Buffer | Error) => void
}

export function createDecoders ({
  count,
  mostMs = 20_000,
  largePixels = 2 ** 22,
  mostPixels = 2 ** 26,
  mostWaitingPixels = 2 ** 29,
  mostPictures = 5000
}: DecodersOptions) {
  const idle: Decoder[] = []
  const waiting = new Set<Task>()
  const running = new Set<Task>()
  const isLarge = ({ pixels }: Task) => pixels > largePixels

  return {
    run,
    /** Has a process at hand before the first picture comes. */
    warm () {
      if (idle.length + running.size === 0) haveOneMore()
    },
    /** Process ids of those at work and of those at rest. */
    pids: () => [...[...running].map(({ decoder }) => decoder), ...idle].map(decoder => decoder?.pid),
    counts: () => ({ waiting: waiting.size, running: running.size, idle: idle.length })
  }

  /**
   * Rejects with `image_unreadable`, `queue_full` (too many pixels wait, or no process can be started), or with the
   * signal's reason: then what waits leaves the queue at once, a large picture also its process.
   */
  async function run (file: PictureFile, work: PictureWork, signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted()
    const pixels = file.width * file.height
    if (waiting.size > 0 && pixels + pixelsOf(waiting) > mostWaitingPixels) {
      throw new ServerError('queue_full', 'As many pictures wait to be decoded as may', { retryAfterSeconds: 1 })
    }
    let onAbort = () => {}
    try {
      return await new Promise((resolve, reject) => {
        const settle = (outcome: Buffer | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))
        const task: Task = { file, work, pixels, mayTryAgain: true, settle }
        onAbort = () => abandon(task, signal?.reason)
        signal?.addEventListener('abort', onAbort)
        waiting.add(task)
        startNext()
      })
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /**
   * The oldest first, but large ones never take the last process nor more memory than they may. Where no process can be
   * started they wait for those at work, if there are any.
   */
  function startNext () {
    for (const task of waiting) {
      if (running.size >= count) return
      if (isLarge(task) && !hasRoomFor(task)) continue
      if (idle.length === 0) haveOneMore()
      const decoder = idle.pop()
      if (!decoder && running.size > 0) return
      waiting.delete(task)
      if (decoder) start(task, decoder)
      else task.settle(noRoomError())
    }
  }

  function hasRoomFor ({ pixels }: Task) {
    const large = [...running].filter(isLarge)
    return large.length === 0 || (large.length < count - 1 && pixels + pixelsOf(large) <= mostPixels)
  }

  async function start (task: Task, decoder: Decoder) {
    running.add(task)
    task.decoder = decoder
    const end = () => {
      task.mayTryAgain = false
      task.settle(new ServerError('image_unreadable', 'The picture takes too long to decode'))
      decoder.kill()
    }
    let timer: NodeJS.Timeout | undefined
    try {
      task.settle(
        await decoder.work(task.file, task.work, () => {
          timer = setTimeout(end, mostMs)
        })
      )
      rest(decoder)
    } catch (error) {
      if (error instanceof ServerError) {
        task.settle(error)
        if (error.code === 'image_unreadable') rest(decoder)
      } else if (task.mayTryAgain) waiting.add(task)
      else task.settle(unreadableError()) // the second process that it ends
      task.mayTryAgain = false
    } finally {
      clearTimeout(timer)
      running.delete(task)
      startNext()
    }
  }

  function rest (decoder: Decoder) {
    if (decoder.pictures() < mostPictures) return idle.push(decoder)
    decoder.kill()
    haveOneMore()
  }

  function abandon (task: Task, error: Error) {
    task.settle(error)
    if (waiting.delete(task)) return
    task.mayTryAgain = false
    if (!isLarge(task)) return
    task.decoder?.kill()
    if (idle.length === 0) haveOneMore() // at hand for the next one
  }

  /** It is the last in turn, so that it has time to start. */
  function haveOneMore () {
    try {
      idle.unshift(startDecoder(forget))
    } catch (error) {
      if (!(error instanceof ServerError)) throw error // no room: told to the picture that needs it
    }
  }

  function forget (decoder: Decoder) {
    if (idle.includes(decoder)) idle.splice(idle.indexOf(decoder), 1)
  }
}

function pixelsOf (tasks: Iterable<Task>) {
  let sum = 0
  for (const { pixels } of tasks) sum += pixels
  return sum
}
