/** The lists of pictures of a bulk folder, one for each shard. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { isCode, writeWhole } from '../../bulk/files.ts'
import { messageOf, wrongUsage } from '../endings.ts'
import { isObject } from '../settings.ts'
import { nameOfShard, type Folder } from './folder.ts'
import type { Item } from './items.ts'

/** How many pictures there are, and a digest of their lines. */
export type Counts = { pictures: number; inputs: string }

/** Rejects with an Ending where the list has other lines than so many pictures, and tells the way out. */
export function readList (folder: Folder, shard: string, count: number): Item[] {
  const path = folder.manifest(shard)
  const wayOut = 'name the pictures again, and it is written anew'
  const items: Item[] = []
  for (const line of readText(path)?.split('\n') ?? []) {
    const item = parse(line)
    if (item) items.push(item)
    else if (line !== '') throw wrongUsage(`${path}:${items.length + 1}: it is no picture of a list; ${wayOut}`)
  }
  if (items.length !== count) {
    throw wrongUsage(`${path}: it lists ${items.length} pictures, the shard has ${count}; ${wayOut}`)
  }
  return items
}

/** Writes the lists of a new job. */
export async function writeLists (folder: Folder, size: number, items: AsyncIterable<Item>): Promise<Counts> {
  return walk(items, size, (shard, text) => writeWhole(folder.manifest(shard), text, folder.temporary('manifest')))
}

/** Lists that something has changed are written anew, unless these are other pictures than those of the job. */
export async function mendLists (
  folder: Folder,
  size: number,
  items: AsyncIterable<Item>,
  job: Counts & { shard_size: number }
): Promise<Counts> {
  const mended: { temporary: string; path: string }[] = []
  const counts = await walk(items, size, async (shard, text) => {
    const path = folder.manifest(shard)
    if (Number(shard) * size >= job.pictures || readText(path) === text) return
    const temporary = folder.temporary('manifest')
    await writeFile(temporary, text, { flush: true })
    mended.push({ temporary, path })
  })
  const isSame = counts.inputs === job.inputs && size === job.shard_size
  for (const { temporary, path } of mended) await (isSame ? rename(temporary, path) : rm(temporary))
  return counts
}

async function walk (
  items: AsyncIterable<Item>,
  size: number,
  onShard: (shard: string, text: string) => Promise<void>
): Promise<Counts> {
  const hash = createHash('sha256')
  let lines: string[] = []
  let pictures = 0
  for await (const item of items) {
    const line = JSON.stringify(item) + '\n'
    hash.update(line)
    lines.push(line)
    pictures++
    if (lines.length < size) continue
    await onShard(nameOfShard(pictures / size - 1), lines.join(''))
    lines = []
  }
  if (lines.length > 0) await onShard(nameOfShard(Math.floor(pictures / size)), lines.join(''))
  return { pictures, inputs: hash.digest('hex') }
}

/** Undefined where there is none. */
function readText (path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw wrongUsage(messageOf(error))
  }
}

function parse (line: string): Item | undefined {
  try {
    const item: Item = JSON.parse(line)
    return isObject(item) && [item.image, item.input].every(text => typeof text === 'string') ? item : undefined
  } catch {
    return undefined
  }
}
