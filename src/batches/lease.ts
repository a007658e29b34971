/** One server at a time works on the folder: its lease is a file that it renews. */
import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { isCode } from '../bulk/files.ts'
import { isAlive, placeOfProcess } from '../bulk/process.ts'

const renewMs = 5000
const lookMs = 500
const staleMs = 60_000 // of a holder on another machine; one on this machine is known to be alive or not

const held = new Set<string>() // tokens of this process: a number of a process may come again

/** Takes the lease as soon as nobody holds it; `onTaken` and `onLost` hear of it. */
export function waitForLease (path: string, { onTaken, onLost }: { onTaken: () => void; onLost: () => void }) {
  const token = randomUUID()
  const timer = setInterval(() => (held.has(token) ? renew() : attempt()), lookMs).unref()
  let renewed = performance.now()
  attempt()

  return {
    isHeld: () => held.has(token),
    release () {
      clearInterval(timer)
      if (held.delete(token) && readHolder(path).token === token) rmSync(path, { force: true })
    }
  }

  function attempt () {
    if (isStale(path)) rmSync(path, { force: true })
    try {
      writeFileSync(path, JSON.stringify({ pid: process.pid, host: placeOfProcess(), token }), { flag: 'wx' })
    } catch (error) {
      if (isCode(error, 'EEXIST')) return
      throw error
    }
    held.add(token)
    onTaken()
  }

  /** A process that stood still for long may find that another has taken over. */
  function renew () {
    if (performance.now() - renewed < renewMs) return
    renewed = performance.now()
    if (readHolder(path).token === token) return utimesSync(path, new Date(), new Date())
    held.delete(token)
    clearInterval(timer)
    onLost()
  }
}

/** Whether its holder is gone. */
function isStale (path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return false
  const { pid, host, token = '' } = readHolder(path)
  if (host !== placeOfProcess() || pid === undefined) return Date.now() - stats.mtimeMs > staleMs
  return pid === process.pid ? !held.has(token) : !isAlive(pid)
}

/** Nobody is named while the file is being written. */
function readHolder (path: string): { pid?: number; host?: string; token?: string } {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}
