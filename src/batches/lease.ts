/** One server at a time works on the folder. */
import { takeLease, type Lease } from '../bulk/lease.ts'

const lookMs = 500
const holdMs = 60_000 // of a server on another machine

type Told = { onTaken: () => void; onLost: () => void }

/** Takes the lease as soon as nobody holds it; `onTaken` and `onLost` hear of it. Throws as the file system does. */
export function waitForLease (folder: string, { onTaken, onLost }: Told) {
  let lease = take()
  const timer = setInterval(look, lookMs).unref()
  if (lease) begin()

  return {
    isHeld: () => lease?.isHeld() === true,
    release () {
      clearInterval(timer)
      lease?.free()
    }
  }

  function take (): Lease | undefined {
    return takeLease({ folder, name: 'server', holdMs, keepsLiving: true, onLost })
  }

  function look () {
    try {
      lease = take()
    } catch {
      return // a disk that is full or away may come back
    }
    if (lease) begin()
  }

  function begin () {
    clearInterval(timer)
    onTaken()
  }
}
