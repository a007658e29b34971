/** Captions as texts beside the files of their pictures. */
import { readFileSync, statSync } from 'node:fs'
import { join, parse } from 'node:path'
import { writeWhole } from '../../bulk/files.ts'
import { messageOf } from '../endings.ts'
import type { Output } from '../output.ts'
import { isUrl } from '../pictures.ts'
import type { Folder } from './folder.ts'
import type { Item } from './items.ts'
import { shardsOf, sizeOfShard, type Job } from './job.ts'
import { readList } from './lists.ts'

type Caption = string | undefined
type Told = { captions?: { text: string }[] }

export type Sidecars = ReturnType<typeof openSidecars>

/**
 * Both functions tell how many could not be written, which is warned of once: nothing else is to suffer from it.
 * Throws an Ending where a list of the job is broken.
 */
export function openSidecars (folder: Folder, job: Job, output: Output) {
  const listOf = (shard: string) => readList(folder, shard, sizeOfShard(job, shard))
  const late = findLate(shardsOf(job), listOf)
  return { write, add }

  async function write (shard: string, items: Item[], captions: Caption[]): Promise<number> {
    const errors: unknown[] = []
    for (const [i, item] of items.entries()) {
      const [path, caption] = [pathOf(item), captions[i]]
      if (path === undefined || caption === undefined) continue
      if (late.has(placeOf(shard, i))) errors.push(`${path} is for the caption of an earlier picture`)
      else await writeWhole(path, `${caption}\n`).catch(error => errors.push(error))
    }
    if (errors.length > 0) output.warn(`--sidecars: ${errors.length} not written: ${messageOf(errors[0])}`)
    return errors.length
  }

  /** Those that a shard which is done lacks. */
  async function add (shard: string): Promise<number> {
    const items = listOf(shard)
    const rows: Told[] = readFileSync(join(folder.shard(shard), 'rows.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    const isThere = (item: Item) => statSync(pathOf(item) ?? '', { throwIfNoEntry: false })?.isFile()
    const captions = items.map((item, i) =>
      isThere(item) && !late.has(placeOf(shard, i)) ? undefined : rows[i]?.captions?.[0]?.text
    )
    return write(shard, items, captions)
  }
}

/** Places of pictures whose text is that of an earlier one, as of `a.png` and `a.webp`. */
function findLate (shards: string[], listOf: (shard: string) => Item[]): Set<string> {
  const owners = new Map<string, string>()
  const late = new Set<string>()
  for (const shard of shards) {
    for (const [i, item] of listOf(shard).entries()) {
      const path = pathOf(item)
      if (path === undefined) continue
      const asked = item.prompt === undefined ? item.image : `${item.image}\n${item.prompt}` // again: the same caption
      const owner = owners.get(path) ?? asked
      owners.set(path, owner)
      if (owner !== asked) late.add(placeOf(shard, i))
    }
  }
  return late
}

function placeOf (shard: string, i: number) {
  return `${shard}/${i}`
}

/** Undefined where there is no place beside it. */
function pathOf ({ image, at }: Item): string | undefined {
  if (at || isUrl(image) || image.startsWith('data:')) return undefined
  const { dir, name } = parse(image)
  return join(dir, `${name}.txt`)
}
