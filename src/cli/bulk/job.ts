/** What a bulk folder is for: the tasks with their options, the model by its digest, the pictures in shards. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { wrongUsage } from '../endings.ts'
import { nameOfShard, writeOnce, writeWhole, type Folder } from './folder.ts'
import type { Item } from './items.ts'

export const bulkTasks = ['caption', 'ask', 'tokenize'] as const
export type BulkTask = (typeof bulkTasks)[number]

/** Requests of each task without their picture; `inputs` is a digest of the list of pictures. */
export type Job = {
  version: 1
  model: string
  digest: string
  tasks: Partial<Record<BulkTask, Record<string, unknown>>>
  shard_size: number
  pictures: number
  inputs: string
}

/** The job of the folder, which is laid out for it where it is new; an Ending where it is another's. */
export async function openJob (folder: Folder, wanted: Omit<Job, 'version' | 'pictures' | 'inputs'>, items: Item[]) {
  if (existsSync(folder.job)) return checkJob(folder, wanted, items)
  if (items.length === 0) throw wrongUsage(`${folder.path} holds no job yet: name pictures`)
  for (let i = 0; i * wanted.shard_size < items.length; i++) {
    const shard = items.slice(i * wanted.shard_size, (i + 1) * wanted.shard_size)
    await writeWhole(folder.manifest(nameOfShard(i)), linesOf(shard), folder.temporary())
  }
  const job: Job = { version: 1, ...wanted, pictures: items.length, inputs: digestOf(linesOf(items)) }
  const isNew = await writeOnce(folder.job, JSON.stringify(job, null, 2) + '\n', folder.temporary())
  return isNew ? job : checkJob(folder, wanted, items)
}

/** Names of the shards, in order. */
export function shardsOf ({ pictures, shard_size: size }: Job): string[] {
  return Array.from({ length: Math.ceil(pictures / size) }, (_, i) => nameOfShard(i))
}

export function digestOf (text: string) {
  return createHash('sha256').update(text).digest('hex')
}

/** Without pictures those of before are meant. */
function checkJob (folder: Folder, wanted: Partial<Job>, items: Item[]): Job {
  const job: Job = JSON.parse(readFileSync(folder.job, 'utf8'))
  const now = { ...wanted, ...(items.length > 0 && { inputs: digestOf(linesOf(items)) }) }
  const others = Object.entries(now).filter(([name, value]) => !isDeepStrictEqual(value, { ...job }[name]))
  if (others.length === 0) return job
  throw wrongUsage(
    `${folder.path} holds another job; take a new folder. What differs: ${others.map(([name]) => name).join(', ')}`
  )
}

function linesOf (items: Item[]) {
  return items.map(item => JSON.stringify(item) + '\n').join('')
}
