/**
 * Shards among the processes of one machine, or of machines that share a file system. A lease is a file; who takes a
 * shard over writes the next one, which only one can.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, statSync, utimesSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { isCode, writeOnce, writeWhole } from '../../bulk/files.ts'
import { isAlive, placeOfProcess } from '../../bulk/process.ts'
import type { Folder } from './folder.ts'
import type { Claim, ShardSource } from './source.ts'

export type Holder = { pid: number; host: string; token: string; deaths: number; isFree?: boolean }

const pollMs = 500
const me = { pid: process.pid, host: placeOfProcess(), token: randomUUID() }

/** Who does not renew its lease for `holdSeconds` is gone; whether a worker on this machine lives is known. */
export function createLeases (
  folder: Folder,
  shards: string[],
  { holdSeconds, signal }: { holdSeconds: number; signal: AbortSignal }
): ShardSource {
  let left = [...shards]
  return { next, shards, close: async () => {} }

  async function next (): Promise<Claim | undefined> {
    while (left.length > 0) {
      signal.throwIfAborted()
      for (const [i, shard] of left.entries()) {
        if (folder.isDone(shard)) continue
        const claim = await take(shard)
        if (claim && !folder.isDone(shard)) {
          left = [...left.slice(i), ...left.slice(0, i)] // what others hold comes last
          return claim
        }
        await claim?.end(true)
      }
      left = left.filter(shard => !folder.isDone(shard))
      if (left.length > 0) await pause(pollMs, undefined, { signal })
    }
    return undefined
  }

  async function take (shard: string): Promise<Claim | undefined> {
    const last = folder.leasesOf(shard).at(-1)
    const before = last === undefined ? undefined : readHolder(folder.lease(shard, last))
    if (before && !isGone(before)) return undefined
    const deaths = before === undefined ? 0 : before.deaths + (before.isFree ? 0 : 1)
    const path = folder.lease(shard, (last ?? -1) + 1)
    const mine: Holder = { ...me, deaths }
    if (!(await writeFirst(path, mine, shard))) return undefined
    const renewal = setInterval(() => renew(path), (holdSeconds * 1000) / 10).unref()
    return {
      shard,
      deaths,
      async end (isDone) {
        clearInterval(renewal)
        if (!isDone) await writeWhole(path, JSON.stringify({ ...mine, isFree: true }), folder.temporary('lease'))
        else for (const number of folder.leasesOf(shard)) await rm(folder.lease(shard, number), { force: true })
      }
    }
  }

  /** False where another was first, or has done the shard meanwhile and cleared up. */
  async function writeFirst (path: string, holder: Holder, shard: string) {
    return writeOnce(path, JSON.stringify(holder), folder.temporary(shard)).catch(error => {
      if (isCode(error, 'ENOENT')) return false
      throw error
    })
  }

  function isGone ({ pid, host, token, isFree, renewedAt }: Holder & { renewedAt: number }): boolean {
    if (isFree || Date.now() - renewedAt > holdSeconds * 1000) return true
    if (host !== me.host) return false
    return pid === me.pid ? token !== me.token : !isAlive(pid)
  }
}

function renew (path: string) {
  try {
    utimesSync(path, new Date(), new Date())
  } catch {} // another took it over, and has done it
}

/** Undefined where the lease is gone: its shard is done. */
function readHolder (path: string): (Holder & { renewedAt: number }) | undefined {
  try {
    const holder: Holder = JSON.parse(readFileSync(path, 'utf8'))
    return { ...holder, renewedAt: statSync(path).mtimeMs }
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}
