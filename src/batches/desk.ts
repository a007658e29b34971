/** Files and batches of one folder, for as long as this server holds it. */
import { setMaxListeners } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { ServerError } from '../errors.ts'
import type { Ask } from './ask.ts'
import { openBatches, type Batches } from './batches.ts'
import { createDisk } from './disk.ts'
import { openFiles, type Files } from './files.ts'
import { openFolder } from './folder.ts'
import { createGate } from './gate.ts'
import { waitForLease } from './lease.ts'

export type DeskLimits = {
  mostFileBytes: number
  mostLines: number
  mostLineBytes: number
  mostBytes: number
  share: number
  keepSeconds: number
  inFlight: number
}
type Log = Record<'info' | 'warn', (details: object, message: string) => void>
export type DeskOptions = {
  path: string
  limits: DeskLimits
  ask: Ask
  log: Log
  onLine: (endpoint: string, isGood: boolean) => void
  now?: () => number
}

export type Desk = ReturnType<typeof openDesk>
type Open = { files: Files; batches: Batches }

const mostHeldBytes = 64 * 2 ** 20 // of lines, in memory
const sweepMs = 5000

/** Begins as soon as no other server holds the folder, and goes on with what was begun there. */
export function openDesk ({ path, limits, ask, log, onLine, now = Date.now }: DeskOptions) {
  const folder = openFolder(path)
  const end = new AbortController()
  let opened: (Open & { loss: AbortController }) | undefined
  let settled: Promise<unknown> = Promise.resolve() // of what was begun before the folder was lost
  const lease = waitForLease(folder.leases, { onTaken: open, onLost: lose, log })
  if (!lease.isHeld()) log.warn({ folder: path }, 'another server holds the folder of batches')
  const sweeper = setInterval(sweep, sweepMs).unref()

  return {
    limits,

    /** Throws `batches_unavailable` where another server holds the folder. */
    get (): Open {
      if (opened) return opened
      throw new ServerError('batches_unavailable', 'Another server holds the folder of batches', {
        retryAfterSeconds: 5
      })
    },

    sweep,

    /** Lines that were begun are done to their end; the others wait for the next start. */
    stop,

    async close () {
      stop()
      await Promise.all([settled, opened?.batches.settle()])
      lease.release()
    }
  }

  function stop () {
    clearInterval(sweeper)
    end.abort()
  }

  function open () {
    rmSync(folder.incoming, { recursive: true, force: true })
    mkdirSync(folder.incoming, { mode: 0o700 })
    const loss = new AbortController()
    const closing = AbortSignal.any([end.signal, loss.signal])
    setMaxListeners(0, closing) // as many as there are batches
    const disk = createDisk({ most: limits.mostBytes, share: limits.share })
    const files = openFiles(folder, disk, limits, log)
    const batches = openBatches({
      folder,
      files,
      disk,
      limits,
      ask,
      places: createGate(limits.inFlight),
      room: createGate(mostHeldBytes),
      closing,
      isHeld: () => opened?.loss === loss,
      now,
      log,
      onLine
    })
    opened = { files, batches, loss }
  }

  async function lose () {
    log.warn({ folder: path }, 'another server has taken the folder of batches')
    opened?.loss.abort()
    settled = opened?.batches.settle() ?? settled
    opened = undefined
    await settled
  }

  function sweep () {
    opened?.files.removeExpired(now())
    opened?.batches.sweep()
  }
}
