/** Captions as texts beside the files of their pictures. */
import { readFileSync, statSync } from 'node:fs'
import { join, parse } from 'node:path'
import { writeWhole } from '../../bulk/files.ts'
import { messageOf } from '../endings.ts'
import type { Output } from '../output.ts'
import { isUrl } from '../pictures.ts'
import type { Folder } from './folder.ts'
import type { Item } from './items.ts'
import { sizeOfShard, type Job } from './job.ts'
import { readList } from './lists.ts'

type Caption = string | undefined
type Told = { captions?: { text: string }[] }

/** How many could not be written, which is warned of once: nothing else is to suffer from it. */
export async function writeSidecars (items: Item[], captions: Caption[], output: Output): Promise<number> {
  const errors: unknown[] = []
  for (const [i, item] of items.entries()) {
    const [path, caption] = [pathOf(item), captions[i]]
    if (path === undefined || caption === undefined) continue
    await writeWhole(path, `${caption}\n`).catch(error => errors.push(error))
  }
  if (errors.length > 0) output.warn(`--sidecars: ${errors.length} not written: ${messageOf(errors[0])}`)
  return errors.length
}

/** Those that a shard which is done lacks. */
export async function addSidecars (folder: Folder, job: Job, shard: string, output: Output): Promise<number> {
  const items = readList(folder, shard, sizeOfShard(job, shard))
  const rows: Told[] = readFileSync(join(folder.shard(shard), 'rows.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  const isThere = (item: Item) => statSync(pathOf(item) ?? '', { throwIfNoEntry: false })?.isFile()
  const captions = items.map((item, i) => (isThere(item) ? undefined : rows[i]?.captions?.[0]?.text))
  return writeSidecars(items, captions, output)
}

/** Undefined where there is no place beside it. */
function pathOf ({ image, at }: Item): string | undefined {
  if (at || isUrl(image) || image.startsWith('data:')) return undefined
  const { dir, name } = parse(image)
  return join(dir, `${name}.txt`)
}
