/** One server at a time works on the folder. */
import { takeLease, type Lease } from '../bulk/lease.ts'
import type { Log } from './folder.ts'

const lookMs = 500
const holdMs = 60_000 // of a server on another machine

type Told = {
  onTaken: () => void
  /** The folder is not asked for again before nothing is written to it any more. */
  onLost: () => Promise<unknown>
  log: Log
}

/**
 * Takes the lease as soon as nobody holds it, also after it was lost; `onTaken` and `onLost` hear of it. Throws as the
 * file system does where the first look fails.
 */
export function waitForLease (folder: string, { onTaken, onLost, log }: Told) {
  let lease: Lease | undefined
  let isSettling = false
  let isTold = false
  take()
  const timer = setInterval(look, lookMs).unref()

  return {
    isHeld: () => lease?.isHeld() === true,
    release () {
      clearInterval(timer)
      giveBack()
    }
  }

  function take () {
    lease = takeLease({ folder, name: 'server', holdMs, keepsLiving: true, onLost: lose })
    try {
      if (lease) onTaken()
    } catch (error) {
      giveBack()
      throw error
    }
  }

  /** A disk that is full or away may come back. */
  function look () {
    if (isSettling || lease?.isHeld()) return
    try {
      take()
      isTold = false
    } catch (err) {
      if (!isTold) log.warn({ err, folder }, 'the folder of batches cannot be taken, and is tried again')
      isTold = true
    }
  }

  async function lose () {
    isSettling = true
    await onLost()
    isSettling = false
  }

  /** Where that fails, others take it as from one that has ended. */
  function giveBack () {
    try {
      lease?.free()
    } catch (err) {
      log.warn({ err, folder }, 'the folder of batches cannot be given back')
    }
    lease = undefined
  }
}
