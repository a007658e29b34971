/** What a bulk folder is for: the tasks with their options, the model by its digest, the pictures in shards. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { writeOnce } from '../../bulk/files.ts'
import { messageOf, wrongUsage } from '../endings.ts'
import { nameOfShard, type Folder } from './folder.ts'
import type { Item } from './items.ts'
import { mendLists, writeLists } from './lists.ts'

export const bulkTasks = ['caption', 'ask', 'tokenize'] as const
export type BulkTask = (typeof bulkTasks)[number]

/** Requests of each task without their picture; `inputs` is a digest of the list of pictures. */
export type Job = {
  version: 1
  /** Another for each folder. */
  id: string
  model: string
  digest: string
  tasks: Partial<Record<BulkTask, Record<string, unknown>>>
  shard_size: number
  pictures: number
  inputs: string
}

type Wanted = Omit<Job, 'version' | 'id' | 'pictures' | 'inputs'>

/**
 * The job of the folder, which is laid out for it where it is new; an Ending where it is another's. Where no
 * pictures are named, those of before are meant; where they are, lists that something has broken are mended.
 */
export async function openJob (folder: Folder, wanted: Wanted, items: AsyncIterable<Item> | undefined): Promise<Job> {
  if (existsSync(folder.job)) {
    const counts = items && (await mendLists(folder, wanted.shard_size, items, readJob(folder)))
    return checkJob(folder, { ...wanted, ...counts })
  }
  if (!items) throw wrongUsage(`${folder.path} holds no job yet: name pictures`)
  const counts = await writeLists(folder, wanted.shard_size, items)
  if (counts.pictures === 0) throw wrongUsage('the list names no pictures')
  const job: Job = { version: 1, id: randomUUID(), ...wanted, ...counts }
  const isNew = await writeOnce(folder.job, JSON.stringify(job, null, 2) + '\n', folder.temporary('job'))
  return isNew ? job : checkJob(folder, { ...wanted, ...counts })
}

/** Names of the shards, in order. */
export function shardsOf ({ pictures, shard_size: size }: Job): string[] {
  return Array.from({ length: Math.ceil(pictures / size) }, (_, i) => nameOfShard(i))
}

/** How many pictures a shard has. */
export function sizeOfShard ({ pictures, shard_size: size }: Job, shard: string): number {
  return Math.min(size, pictures - Number(shard) * size)
}

export function digestOf (text: string) {
  return createHash('sha256').update(text).digest('hex')
}

function checkJob (folder: Folder, wanted: Partial<Job>): Job {
  const job = readJob(folder)
  const others = Object.entries(wanted).filter(([name, value]) => !isDeepStrictEqual(value, { ...job }[name]))
  if (others.length === 0 && job.pictures > 0) return job
  if (others.length === 0) throw wrongUsage(`${folder.job}: it tells of no pictures`)
  const names = others.map(([name]) => name).join(', ')
  throw wrongUsage(`${folder.path} holds another job; take a new folder. What differs: ${names}`)
}

function readJob ({ job: path }: Folder): Job {
  try {
    return { ...JSON.parse(readFileSync(path, 'utf8')) }
  } catch (error) {
    throw wrongUsage(error instanceof SyntaxError ? `${path}: it is not JSON` : `${path}: ${messageOf(error)}`)
  }
}
