/** What a bulk job has come to. */
import { readLines, writeWhole } from '../../bulk/files.ts'
import type { Folder } from './folder.ts'
import type { Stats } from './shard.ts'

export type Report = Omit<Stats, 'digest' | 'options'>

/** Sums over shards that are done. */
export function sumShards (folder: Folder, shards: string[]): Report {
  const report: Report = {
    pictures: 0,
    failed: {},
    set_aside: [],
    visual_tokens: 0,
    completion_tokens: 0,
    seconds: 0
  }
  for (const stats of shards.flatMap(shard => readLines<Stats>(`${folder.shard(shard)}/stats.json`))) {
    for (const name of ['pictures', 'visual_tokens', 'completion_tokens', 'seconds'] as const) {
      report[name] += stats[name]
    }
    for (const [code, n] of Object.entries(stats.failed)) report.failed[code] = (report.failed[code] ?? 0) + n
    report.set_aside.push(...stats.set_aside)
  }
  return report
}

/** Writes `report.json` and removes what killed workers have left, once all shards are done. */
export async function finish (folder: Folder, shards: string[]) {
  if (!shards.every(folder.isDone)) return
  await writeWhole(folder.report, JSON.stringify(sumShards(folder, shards), null, 2) + '\n')
  await folder.clearAll()
}
