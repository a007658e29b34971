/** lavit bulk: many pictures, in shards that are done once each, whatever is interrupted. */
import { readLines } from '../../bulk/files.ts'
import { createLeases } from '../bulk/leases.ts'
import { openFolder, type Folder } from '../bulk/folder.ts'
import { findItems, type Item } from '../bulk/items.ts'
import { bulkTasks, digestOf, openJob, shardsOf, type BulkTask, type Job } from '../bulk/job.ts'
import { createProgress } from '../bulk/progress.ts'
import { workOn, type Stats } from '../bulk/shard.ts'
import type { ShardSource } from '../bulk/source.ts'
import { exitCodes, wrongUsage } from '../endings.ts'
import { fieldsOfJob } from '../options.ts'
import type { Session } from '../session.ts'

type Fields = Record<string, unknown>
export type BulkOptions = { out: string; do: string; shardSize: number; sidecars?: boolean }

type Models = { default: string }
type Model = { digests?: Record<string, string>; limits?: { codebook_size: number } }

/** Rejects with an Ending where the folder holds another job, or the server cannot go on. */
export async function bulk (session: Session, words: string[], fields: Fields, options: BulkOptions) {
  const tasks = tasksOf(options.do, fields)
  const items = words.length === 0 ? undefined : findItems(words, session.io)
  const { model, digest } = await findModel(session, fields.model, tasks)
  const folder = openFolder(options.out)
  const job = await openJob(
    folder,
    { model, digest, tasks, shard_size: options.shardSize },
    items && askable(items, tasks)
  )
  const source = createLeases(folder, shardsOf(job), session.io.signal)
  await workThrough(source, folder, job, session, options.sidecars === true)
  return tellEnd(folder, job, session)
}

/** The pictures; an Ending where there is no question for one. */
async function * askable (items: AsyncIterable<Item>, { ask }: Job['tasks']) {
  for await (const item of items) {
    if (ask && ask.question === undefined && item.question === undefined) {
      throw wrongUsage('ask needs a --question, or one for each picture of a list')
    }
    yield item
  }
}

/** Every shard that the source gives. */
async function workThrough (source: ShardSource, folder: Folder, job: Job, session: Session, sidecars: boolean) {
  const before = shardsOf(job).filter(folder.isDone)
  const progress = createProgress(job.pictures, sum(readStats(folder, before), ({ pictures }) => pictures))
  for (let claim = await source.next(); claim; claim = await source.next()) {
    try {
      await workOn({
        shard: claim.shard,
        folder,
        job,
        session,
        sidecars,
        onRow ({ failedAs }) {
          progress.add(failedAs !== undefined)
          session.output.progress(progress.tell())
        }
      })
    } finally {
      await claim.release()
    }
  }
}

async function tellEnd (folder: Folder, job: Job, { output, settings }: Session) {
  output.clear()
  const stats = readStats(folder, shardsOf(job))
  const failed: Record<string, number> = {}
  for (const [code, n] of stats.flatMap(({ failed }) => Object.entries(failed))) failed[code] = (failed[code] ?? 0) + n
  const total = {
    pictures: job.pictures,
    failed,
    visual_tokens: sum(stats, ({ visual_tokens: n }) => n),
    completion_tokens: sum(stats, ({ completion_tokens: n }) => n),
    seconds: sum(stats, ({ seconds }) => seconds)
  }
  const failures = Object.entries(failed).map(([code, n]) => `, ${n} ${code}`)
  await output.line(
    settings.json
      ? JSON.stringify(total)
      : `${total.pictures} pictures${failures.join('')}, ${total.visual_tokens} visual tokens: ${folder.path}`
  )
  return failures.length > 0 ? exitCodes.someFailed : exitCodes.ok
}

function readStats (folder: Folder, shards: string[]): Stats[] {
  return shards.flatMap(shard => readLines<Stats>(`${folder.shard(shard)}/stats.json`))
}

/** The request of each task: the fields that it has, work that yields to others, and a seed that stays. */
function tasksOf (words: string, fields: Fields): Job['tasks'] {
  const names = words.split(',').map(word => word.trim())
  const wrong = names.find(name => !bulkTasks.some(task => task === name))
  if (wrong !== undefined) throw wrongUsage(`--do: ${JSON.stringify(wrong)} is none of ${bulkTasks.join(', ')}`)
  const given = { priority: 'bulk', seed: 0, ...fields }
  return Object.fromEntries(
    bulkTasks.filter(task => names.includes(task)).map(task => [task, fieldsFor(task, given)])
  )
}

function fieldsFor (task: BulkTask, given: Fields): Fields {
  const names = [...fieldsOfJob(task).map(({ name }) => name), ...(task === 'ask' ? ['question'] : [])]
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name) && name !== 'model'))
}

/** The model by name, and a digest of all its files. */
async function findModel ({ ask }: Session, wanted: unknown, { tokenize }: Job['tasks']) {
  const read = async <Answer>(path: string): Promise<Answer> => JSON.parse((await ask({ path })).body.toString('utf8'))
  const model = typeof wanted === 'string' ? wanted : (await read<Models>('/models')).default
  const { digests = {}, limits } = await read<Model>(`/models/${encodeURIComponent(model)}`)
  if (tokenize && (limits?.codebook_size ?? 0) > 65_536) {
    throw wrongUsage(`visual tokens of ${model} do not fit into 16 bits`)
  }
  return { model, digest: digestOf(JSON.stringify(Object.entries(digests).sort())) }
}

function sum (stats: Stats[], of: (stats: Stats) => number) {
  return stats.reduce((total, one) => total + of(one), 0)
}
