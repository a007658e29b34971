/** What a bulk job has come to. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../../bulk/files.ts'
import { messageOf, wrongUsage } from '../endings.ts'
import { isObject } from '../settings.ts'
import type { Folder } from './folder.ts'
import type { Stats } from './shard.ts'

export type Report = Omit<Stats, 'digest' | 'options'>

const numbers = ['pictures', 'visual_tokens', 'completion_tokens', 'seconds'] as const

/** Sums over shards that are done. Throws an Ending where what one tells of itself cannot be read. */
export function sumShards (folder: Folder, shards: string[]): Report {
  const report: Report = {
    pictures: 0,
    failed: {},
    set_aside: [],
    visual_tokens: 0,
    completion_tokens: 0,
    seconds: 0
  }
  for (const shard of shards) {
    const stats = readStats(folder.shard(shard))
    for (const name of numbers) report[name] += stats[name]
    for (const [code, n] of Object.entries(stats.failed)) report.failed[code] = (report.failed[code] ?? 0) + n
    report.set_aside.push(...stats.set_aside)
  }
  return report
}

function readStats (folder: string): Stats {
  const path = join(folder, 'stats.json')
  const wayOut = `remove ${folder}, and the same command does it again`
  let stats: unknown
  try {
    stats = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw wrongUsage(error instanceof SyntaxError ? `${path}: it is not JSON; ${wayOut}` : messageOf(error))
  }
  if (!isStats(stats)) throw wrongUsage(`${path}: it does not tell what the shard came to; ${wayOut}`)
  return stats
}

function isStats (value: unknown): value is Stats {
  if (!isObject(value)) return false
  const isWhole = isObject(value.failed) && Array.isArray(value.set_aside)
  return isWhole && numbers.every(name => typeof value[name] === 'number')
}

/** Writes `report.json` and removes what killed workers have left, once all shards are done. */
export async function finish (folder: Folder, shards: string[]) {
  if (!shards.every(folder.isDone)) return
  await writeWhole(folder.report, JSON.stringify(sumShards(folder, shards), null, 2) + '\n')
  await folder.clearAll()
}
