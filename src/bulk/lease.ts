/**
 * Who has a thing that several processes could work on, of one machine or of machines that share a file system. Leases
 * are numbered files, of which the last one counts: who takes a thing over writes the next one, which only one can, and
 * nobody removes the last one but who has done the thing.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isCode } from './files.ts'
import { markOfProcess, stateOf, type ProcessMark } from './process.ts'

/**
 * `deaths` counts those that held it before and did not live to say how it ended; `holdMs` is the silence that the
 * holder asks others to bear.
 */
export type Holder = ProcessMark & { token: string; deaths: number; holdMs?: number; isFree?: boolean }

export type Lease = {
  deaths: number
  isHeld: () => boolean
  /** Gives the thing back to others. */
  free: () => void
  /** Removes all leases of a thing that is done. */
  clear: () => void
}

export type LeaseOptions = {
  folder: string
  name: string
  /**
   * Whose lease was seen for so long without being renewed is gone, or for as long as itself asks, if that is longer.
   * Whether one on this machine has ended is known at once.
   */
  holdMs: number
  /** One on this machine that surely lives has it, however long it is silent. */
  keepsLiving?: boolean
  /** Another has taken it over. */
  onLost?: () => void
}

type Found = Partial<Holder> & { renewedAt: number }
type Sight = { number: number; renewedAt: number; at: number }

const held = new Set<string>() // tokens of this process: a number of a process may come again
const sights = new Map<string, Sight>() // of each thing that another has, since its lease was last renewed

/** Undefined while another holds it. Throws as the file system does. */
export function takeLease ({ folder, name, holdMs, keepsLiving, onLost }: LeaseOptions): Lease | undefined {
  const last = leasesOf(folder, name).at(-1)
  const before = last === undefined ? undefined : readHolder(pathOf(last))
  if (last !== undefined && before && !isGone(before, last)) return undefined
  sights.delete(pathOf())
  const deaths = before === undefined ? 0 : (before.deaths ?? 0) + (before.isFree ? 0 : 1)
  const mine: Holder = { ...markOfProcess(), token: randomUUID(), deaths, holdMs }
  const number = (last ?? -1) + 1
  const path = pathOf(number)
  if (!writeFirst(path, mine)) return undefined
  if (!isLast()) {
    rmSync(path, { force: true }) // others were here since the last one was read
    return undefined
  }
  held.add(mine.token)
  for (const older of leasesOf(folder, name)) if (older < number) rmSync(pathOf(older), { force: true })
  const renewal = setInterval(renew, holdMs / 10).unref()

  return {
    deaths,
    isHeld: () => held.has(mine.token),
    free () {
      if (end()) writeInPlace(path, { ...mine, isFree: true })
    },
    clear () {
      end()
      for (const any of leasesOf(folder, name)) rmSync(pathOf(any), { force: true })
    }
  }

  function end (): boolean {
    clearInterval(renewal)
    return held.delete(mine.token)
  }

  /** A process that stood still for long may find that another has taken over. */
  function renew () {
    try {
      if (isLast()) return utimesSync(path, new Date(), new Date())
    } catch {
      return // the folder may be there again the next time
    }
    if (end()) onLost?.()
  }

  function isLast () {
    return leasesOf(folder, name).at(-1) === number
  }

  function isGone (holder: Found, number: number): boolean {
    const isSilent = silenceOf(pathOf(), number, holder.renewedAt) > Math.max(holdMs, holder.holdMs ?? 0)
    const state = stateOf(holder)
    if (holder.isFree || state === 'ended') return true
    if (holder.pid === process.pid && state !== 'elsewhere') return !held.has(holder.token ?? '')
    return isSilent && !(keepsLiving && state === 'lives')
  }

  function pathOf (number?: number) {
    return join(folder, number === undefined ? name : `${name}.${number}`)
  }
}

/** How long a lease was seen as it is, in ms of this process: clocks of two machines need not agree. */
function silenceOf (thing: string, number: number, renewedAt: number): number {
  const seen = sights.get(thing)
  if (seen?.number === number && seen.renewedAt === renewedAt) return performance.now() - seen.at
  sights.set(thing, { number, renewedAt, at: performance.now() })
  return 0
}

/** Numbers of the leases of a thing. */
function leasesOf (folder: string, name: string): number[] {
  return readdirSync(folder)
    .filter(file => file.startsWith(`${name}.`))
    .map(file => file.slice(name.length + 1))
    .filter(number => /^\d+$/.test(number))
    .map(Number)
    .sort((a, b) => a - b)
}

/** Undefined where the lease is gone; nobody is named while it is being written. */
function readHolder (path: string): Found | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return undefined
  try {
    return { ...JSON.parse(readFileSync(path, 'utf8')), renewedAt: stats.mtimeMs }
  } catch (error) {
    return isCode(error, 'ENOENT') ? undefined : { renewedAt: stats.mtimeMs }
  }
}

/** False where another was first. */
function writeFirst (path: string, holder: Holder): boolean {
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: 'wx' })
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    rmSync(path, { force: true })
    throw error
  }
}

/** What is longer than before, where it is still there. */
function writeInPlace (path: string, holder: Holder) {
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: 'r+' })
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
}
