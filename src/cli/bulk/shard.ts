/** One shard of a bulk job: its pictures asked about, its rows and tokens written, and then there all at once. */
import { writeFile } from 'node:fs/promises'
import { parse, join } from 'node:path'
import { moveInto, readLines, writeAlong, writeWhole } from '../../bulk/files.ts'
import { inOrder } from '../../bulk/in-order.ts'
import { isUrl } from '../pictures.ts'
import type { Session } from '../session.ts'
import { digestOf, type Job } from './job.ts'
import type { Folder } from './folder.ts'
import type { Item } from './items.ts'
import { makeRow, type Row } from './row.ts'

/** `failed` counts problem codes; all but `seconds` is the same whenever the shard is done. */
export type Stats = {
  pictures: number
  failed: Record<string, number>
  visual_tokens: number
  completion_tokens: number
  seconds: number
  digest: string
  options: string
}

type Work = { shard: string; folder: Folder; job: Job; session: Session; sidecars: boolean; onRow: (row: Row) => void }

/**
 * Writes `rows.jsonl`, `stats.json`, and of tokens `tokens.uint16` (little-endian, of all pictures in order) and
 * `offsets.uint64` (where the tokens of each picture begin, and the end), below `shards`. Rejects as `makeRow` does.
 */
export async function workOn ({ shard, folder, job, session, sidecars, onRow }: Work) {
  const items = readLines<Item>(folder.manifest(shard))
  const made = await folder.beginWork(shard)
  const rows = writeAlong(join(made, 'rows.jsonl'))
  const tokens = job.tasks.tokenize && writeAlong(join(made, 'tokens.uint16'))
  const offsets = new BigUint64Array(items.length + 1)
  const begun = performance.now()
  const stats = { pictures: items.length, failed: {}, visual_tokens: 0, completion_tokens: 0 }
  let i = 0
  const end = new AbortController()
  const signal = AbortSignal.any([session.io.signal, end.signal])
  const work = async (item: Item) =>
    makeRow(item, job, session, signal).then(row => ({ item, row }), error => ({ error }))
  for await (const outcome of inOrder(items, session.settings.inFlight, work)) {
    if ('error' in outcome) {
      end.abort() // the others in flight
      throw outcome.error
    }
    const { item, row } = outcome
    await rows.write(JSON.stringify(row.line) + '\n')
    await tokens?.write(Buffer.from(Uint16Array.from(row.tokens).buffer))
    offsets[i + 1] = (offsets[i] ?? 0n) + BigInt(row.tokens.length)
    i++
    count(stats, row)
    if (sidecars) await writeSidecar(item, row)
    onRow(row)
  }
  await rows.end()
  await tokens?.end()
  if (tokens) await writeFile(join(made, 'offsets.uint64'), offsets)
  const options = digestOf(JSON.stringify(job.tasks))
  const seconds = Math.round(performance.now() - begun) / 1000
  await writeFile(join(made, 'stats.json'), JSON.stringify({ ...stats, seconds, digest: job.digest, options }) + '\n')
  const files = ['rows.jsonl', 'stats.json', ...(tokens ? ['tokens.uint16', 'offsets.uint64'] : [])]
  await moveInto(folder.shard(shard), made, files)
}

function count (stats: Omit<Stats, 'seconds' | 'digest' | 'options'>, { failedAs, usage }: Row) {
  if (failedAs !== undefined) stats.failed[failedAs] = (stats.failed[failedAs] ?? 0) + 1
  stats.visual_tokens += usage.visual_tokens
  stats.completion_tokens += usage.completion_tokens
}

/** The first caption, as a text beside the picture's file. */
async function writeSidecar ({ image }: Item, { captions: [caption] }: Row) {
  if (caption === undefined || isUrl(image) || image.startsWith('data:')) return
  const { dir, name } = parse(image)
  await writeWhole(join(dir, `${name}.txt`), `${caption.text}\n`)
}
