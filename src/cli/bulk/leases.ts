/** Shards among the processes of one machine, or of machines that share a file system: each has a lease. */
import { setTimeout as pause } from 'node:timers/promises'
import { takeLease } from '../../bulk/lease.ts'
import type { Folder } from './folder.ts'
import type { Claim, ShardSource } from './source.ts'

const pollMs = 500

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
        const claim = take(shard)
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

  function take (shard: string): Claim | undefined {
    const lease = takeLease({ folder: folder.leases, name: shard, holdMs: holdSeconds * 1000 })
    if (!lease) return undefined
    return {
      shard,
      deaths: lease.deaths,
      async end (isDone) {
        if (isDone) lease.clear()
        else lease.free()
      }
    }
  }
}
