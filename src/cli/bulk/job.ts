/** What a bulk folder is for: the tasks with their options, the model by its digest, the pictures in shards. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { writeOnce, writeWhole } from '../../bulk/files.ts'
import { messageOf, wrongUsage } from '../endings.ts'
import { nameOfShard, type Folder } from './folder.ts'
import type { Item } from './items.ts'

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
 * pictures are named, those of before are meant.
 */
export async function openJob (folder: Folder, wanted: Wanted, items: AsyncIterable<Item> | undefined): Promise<Job> {
  if (existsSync(folder.job)) return checkJob(folder, { ...wanted, ...(items && (await countItems(items))) })
  if (!items) throw wrongUsage(`${folder.path} holds no job yet: name pictures`)
  let lines: string[] = []
  let shards = 0
  const write = async () => {
    if (lines.length === 0) return
    await writeWhole(folder.manifest(nameOfShard(shards++)), lines.join(''), folder.temporary('manifest'))
    lines = []
  }
  const counts = await countItems(items, async line => {
    lines.push(line)
    if (lines.length === wanted.shard_size) await write()
  })
  await write()
  if (counts.pictures === 0) throw wrongUsage('the list names no pictures')
  const job: Job = { version: 1, id: randomUUID(), ...wanted, ...counts }
  const isNew = await writeOnce(folder.job, JSON.stringify(job, null, 2) + '\n', folder.temporary('job'))
  return isNew ? job : checkJob(folder, { ...wanted, ...counts })
}

/** How many there are, and a digest of their lines; `onLine` sees each. */
async function countItems (items: AsyncIterable<Item>, onLine: (line: string) => Promise<void> = async () => {}) {
  const hash = createHash('sha256')
  let pictures = 0
  for await (const item of items) {
    const line = JSON.stringify(item) + '\n'
    hash.update(line)
    pictures++
    await onLine(line)
  }
  return { pictures, inputs: hash.digest('hex') }
}

/** Names of the shards, in order. */
export function shardsOf ({ pictures, shard_size: size }: Job): string[] {
  return Array.from({ length: Math.ceil(pictures / size) }, (_, i) => nameOfShard(i))
}

export function digestOf (text: string) {
  return createHash('sha256').update(text).digest('hex')
}

function checkJob (folder: Folder, wanted: Partial<Job>): Job {
  const job = readJob(folder)
  const others = Object.entries(wanted).filter(([name, value]) => !isDeepStrictEqual(value, { ...job }[name]))
  if (others.length === 0) return job
  const names = others.map(([name]) => name).join(', ')
  throw wrongUsage(`${folder.path} holds another job; take a new folder. What differs: ${names}`)
}

function readJob ({ job: path }: Folder): Job {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw wrongUsage(error instanceof SyntaxError ? `${path}: it is not JSON` : `${path}: ${messageOf(error)}`)
  }
}
