/** One shard of a bulk job: its pictures asked about, its rows and tokens written, and then there all at once. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { moveInto, writeAlong } from '../../bulk/files.ts'
import { inOrder } from '../../bulk/in-order.ts'
import type { Session } from '../session.ts'
import type { Folder } from './folder.ts'
import type { Item } from './items.ts'
import { digestOf, sizeOfShard, type Job } from './job.ts'
import { readList } from './lists.ts'
import { openPieces } from './pieces.ts'
import { failedRow, makeRow, type Row } from './row.ts'
import type { Sidecars } from './sidecars.ts'

/** `failed` counts problem codes; all but `seconds` is the same whenever the shard is done. */
export type Stats = {
  pictures: number
  failed: Record<string, number>
  /** Pictures that workers did not survive. */
  set_aside: string[]
  visual_tokens: number
  completion_tokens: number
  seconds: number
  digest: string
  options: string
}

type Work = {
  shard: string
  deaths: number
  folder: Folder
  job: Job
  session: Session
  sidecars: Sidecars | undefined
  onRow: (row: Row) => void
}

const mostDeaths = 2 // in company; from then on pictures are done alone
const lost = {
  status: 500,
  code: 'worker_died',
  detail: 'Three workers ended while they had this picture alone; it was set aside'
}

/**
 * Writes `rows.jsonl`, `stats.json`, and of tokens `tokens.uint16` (little-endian, of all pictures in order) and
 * `offsets.uint64` (where the tokens of each picture begin, and the end), below `shards`. Rejects as
 * `makeRow` does. Tells how many sidecars could not be written.
 */
export async function workOn (work: Work): Promise<number> {
  const { shard, folder } = work
  try {
    return await make(work)
  } catch (error) {
    if (!folder.isDone(shard)) throw error
    return 0 // another was faster, and has cleared up
  }
}

async function make (work: Work): Promise<number> {
  const { shard, folder, job, sidecars } = work
  const begun = performance.now()
  const items = readList(folder, shard, sizeOfShard(job, shard))
  const rows = await makeRows(items, work)
  const made = await folder.beginWork(shard)
  const files = await writeRows(made, rows, job.tasks.tokenize !== undefined)
  const unwritten = (await sidecars?.write(shard, items, rows.map(({ caption }) => caption))) ?? 0
  const stats: Stats = {
    ...count(rows),
    set_aside: items.flatMap(({ input }, i) => (rows[i]?.failedAs === lost.code ? [input] : [])),
    seconds: Math.round(performance.now() - begun) / 1000,
    digest: job.digest,
    options: digestOf(JSON.stringify(job.tasks))
  }
  await writeFile(join(made, 'stats.json'), JSON.stringify(stats) + '\n')
  await moveInto(folder.shard(shard), made, [...files, 'stats.json'])
  await folder.clear(shard)
  return unwritten
}

/** Rows in order. What an ending engine took along is asked about once more, alone, when the others are done. */
async function makeRows (items: Item[], { shard, deaths, folder, job, session, onRow }: Work): Promise<Row[]> {
  const end = new AbortController()
  const signal = AbortSignal.any([session.io.signal, end.signal])
  const isAlone = deaths >= mostDeaths || existsSync(folder.pieces(shard))
  const pieces = isAlone ? await openPieces(folder, shard) : undefined
  const make = async (item: Item, i: number) => {
    const ask = () => makeRow(item, job, session, signal)
    return (await (pieces ? pieces(i, ask) : ask())) ?? failedRow(item, lost)
  }
  const work = async ([i, item]: [number, Item]) => make(item, i).then(row => ({ row }), error => ({ error }))
  const rows: Row[] = []
  for await (const outcome of inOrder(items.entries(), isAlone ? 1 : session.settings.inFlight, work)) {
    if ('error' in outcome) {
      end.abort() // the others in flight
      throw outcome.error
    }
    rows.push(outcome.row)
    onRow(outcome.row)
  }
  for (const [i, item] of items.entries()) if (rows[i]?.isUncertain) rows[i] = await make(item, i)
  return rows
}

/** Names of the files. */
async function writeRows (folder: string, rows: Row[], hasTokens: boolean): Promise<string[]> {
  const lines = writeAlong(join(folder, 'rows.jsonl'))
  for (const { text } of rows) await lines.write(`${text}\n`)
  await lines.end()
  if (!hasTokens) return ['rows.jsonl']
  const file = writeAlong(join(folder, 'tokens.uint16'))
  const offsets = new BigUint64Array(rows.length + 1)
  for (const [i, { tokens }] of rows.entries()) {
    await file.write(Buffer.from(Uint16Array.from(tokens).buffer))
    offsets[i + 1] = (offsets[i] ?? 0n) + BigInt(tokens.length)
  }
  await file.end()
  await writeFile(join(folder, 'offsets.uint64'), offsets)
  return ['rows.jsonl', 'tokens.uint16', 'offsets.uint64']
}

function count (rows: Row[]) {
  const failed: Record<string, number> = {}
  const total = { visual_tokens: 0, completion_tokens: 0 }
  for (const { failedAs, usage } of rows) {
    if (failedAs !== undefined) failed[failedAs] = (failed[failedAs] ?? 0) + 1
    total.visual_tokens += usage.visual_tokens
    total.completion_tokens += usage.completion_tokens
  }
  return { pictures: rows.length, failed, ...total }
}
