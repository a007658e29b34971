/** Shards among the processes of one machine, or of machines that share a file system: a lease is a file. */
import { readFileSync, statSync, utimesSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { isCode } from '../../bulk/files.ts'
import type { Folder } from './folder.ts'
import type { Claim, ShardSource } from './source.ts'

const renewMs = 5000
const staleMs = 60_000 // of a holder on another machine; one on this machine is known to be alive or not
const pollMs = 500

export function createLeases (folder: Folder, shards: string[], signal: AbortSignal): ShardSource {
  let left = [...shards]
  return { next }

  async function next (): Promise<Claim | undefined> {
    while (left.length > 0) {
      for (const [i, shard] of left.entries()) {
        if (folder.isDone(shard)) continue
        const claim = await take(shard)
        if (claim && !folder.isDone(shard)) {
          left = [...left.slice(i), ...left.slice(0, i)] // what others hold comes last
          return claim
        }
        await claim?.release()
      }
      left = left.filter(shard => !folder.isDone(shard))
      if (left.length > 0) await pause(pollMs, undefined, { signal })
    }
    return undefined
  }

  async function take (shard: string): Promise<Claim | undefined> {
    const path = folder.lease(shard)
    if (isStale(path)) await rm(path, { force: true })
    try {
      await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' })
    } catch (error) {
      if (isCode(error, 'EEXIST')) return undefined
      throw error
    }
    const renewal = setInterval(() => renew(path), renewMs)
    return {
      shard,
      async release () {
        clearInterval(renewal)
        await rm(path, { force: true })
      }
    }
  }
}

function renew (path: string) {
  try {
    utimesSync(path, new Date(), new Date())
  } catch {} // another took it over, and will find the output there
}

/** Whether its holder is gone. */
function isStale (path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return false
  const { pid, host } = readHolder(path)
  if (host === hostname() && pid !== undefined) return !isAlive(pid)
  return Date.now() - stats.mtimeMs > staleMs
}

/** Nobody is named while the file is being written. */
function readHolder (path: string): { pid?: number; host?: string } {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}

function isAlive (pid: number) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}
