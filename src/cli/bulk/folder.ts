/** The folder of a bulk job: where what lies. */
import { randomUUID } from 'node:crypto'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../bulk/files.ts'
import { messageOf, wrongUsage } from '../endings.ts'

export type Folder = ReturnType<typeof openFolder>

/**
 * `work` holds what is half made, `leases` who makes it, `pieces` the rows of shards that have ended workers. Throws an
 * Ending where it cannot be made or written.
 */
export function openFolder (path: string) {
  const at = (...names: string[]) => join(path, ...names)
  try {
    for (const name of ['manifest', 'shards', 'leases', 'pieces', 'work']) {
      makeFolder(at(name))
      accessSync(at(name), constants.R_OK | constants.W_OK)
    }
  } catch (error) {
    throw wrongUsage(`--out: ${messageOf(error)}`)
  }
  const temporary = (shard: string) => at('work', `${shard}.${randomUUID()}`)
  return {
    path,
    job: at('job.json'),
    report: at('report.json'),
    manifest: (shard: string) => at('manifest', `${shard}.jsonl`),
    shard: (shard: string) => at('shards', shard),
    pieces: (shard: string) => at('pieces', shard),
    leases: at('leases'),

    /** The name of a file that is on its way into place. */
    temporary,

    /** An empty folder to make a shard in. */
    async beginWork (shard: string) {
      const made = temporary(shard)
      await mkdir(made)
      return made
    },

    /** Removes what is left of the making of a shard. */
    async clear (shard: string) {
      const left = readdirSync(at('work')).filter(name => name.startsWith(`${shard}.`))
      for (const name of left) await rm(at('work', name), { recursive: true, force: true })
      await rm(at('pieces', shard), { recursive: true, force: true })
    },

    /** The same for all shards, and their leases. */
    async clearAll () {
      const names = ['work', 'pieces', 'leases'].flatMap(place => readdirSync(at(place)).map(name => at(place, name)))
      for (const name of names) await rm(name, { recursive: true, force: true })
    },

    isDone: (shard: string) => existsSync(at('shards', shard, 'stats.json')),

    /** How many shards are done. */
    countDone: () => readdirSync(at('shards')).length
  }
}

/** `00042` of 42. */
export function nameOfShard (index: number) {
  return String(index).padStart(5, '0')
}
