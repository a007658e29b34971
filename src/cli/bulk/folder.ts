/** The folder of a bulk job: where what lies, and how it appears there whole or not at all. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

export type Folder = ReturnType<typeof openFolder>

/** `work` holds what is half made, `leases` who makes it. */
export function openFolder (path: string) {
  const at = (...names: string[]) => join(path, ...names)
  for (const name of ['manifest', 'shards', 'leases', 'work']) mkdirSync(at(name), { recursive: true })
  return {
    path,
    job: at('job.json'),
    manifest: (shard: string) => at('manifest', `${shard}.jsonl`),
    shard: (shard: string) => at('shards', shard),
    lease: (shard: string) => at('leases', shard),
    /** An empty folder to make a shard in; what others have left of it is gone. */
    async beginWork (shard: string) {
      const others = readdirSync(at('work')).filter(name => name.startsWith(`${shard}.`))
      for (const name of others) await rm(at('work', name), { recursive: true, force: true })
      const made = at('work', `${shard}.${process.pid}`)
      mkdirSync(made)
      return made
    },
    temporary: () => at('work', randomUUID()),
    isDone: (shard: string) => existsSync(at('shards', shard, 'stats.json'))
  }
}

/** `00042` of 42. */
export function nameOfShard (index: number) {
  return String(index).padStart(5, '0')
}
