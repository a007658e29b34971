/** lavit bulk: many pictures, in shards that are done once each, whatever is interrupted. */
import { shardsOfIndex } from '../bulk/job-index.ts'
import { openFolder, type Folder } from '../bulk/folder.ts'
import { findItems, type Item } from '../bulk/items.ts'
import { openJob, shardsOf, type Job } from '../bulk/job.ts'
import { createLeases } from '../bulk/leases.ts'
import { createProgress } from '../bulk/progress.ts'
import { sumShards, finish } from '../bulk/report.ts'
import { workOn } from '../bulk/shard.ts'
import { openSidecars, type Sidecars } from '../bulk/sidecars.ts'
import type { ShardSource } from '../bulk/source.ts'
import { findModel, tasksOf } from '../bulk/wanted.ts'
import { exitCodes, wrongUsage } from '../endings.ts'
import type { Session } from '../session.ts'

export type BulkOptions = {
  out: string
  do: string
  shardSize: number
  sidecars?: boolean
  shardsFrom: string
  creds?: string
  completions?: number
  hold: number
  atOnce?: number
  /** Names of options that stand on the command line. */
  given: string[]
}

const noteEveryMs = 60_000

/** Rejects with an Ending where the folder holds another job, or the server cannot go on. */
export async function bulk (session: Session, words: string[], fields: Record<string, unknown>, options: BulkOptions) {
  const tasks = tasksOf(options.do, fields, options.given.filter(name => name in fields))
  checkOptions(options, tasks)
  const items = words.length === 0 ? undefined : findItems(words, session.io)
  const { model, digest } = await findModel(session, fields.model, tasks)
  const folder = openFolder(options.out)
  const job = await openJob(
    folder,
    { model, digest, tasks, shard_size: options.shardSize },
    items && askable(items, tasks)
  )
  const done = shardsOf(job).filter(folder.isDone)
  sumShards(folder, done) // what is broken is told before any work
  const sidecars = options.sidecars && tasks.caption ? openSidecars(folder, job, session.output) : undefined
  let unwritten = 0
  if (sidecars) for (const shard of done) unwritten += await sidecars.add(shard)
  const source = await openSource(folder, job, session, options)
  try {
    unwritten += await workThrough(source, folder, job, session, sidecars)
  } finally {
    await source.close()
  }
  await finish(folder, shardsOf(job))
  const exitCode = await tellEnd(folder, source, session)
  return unwritten > 0 ? exitCodes.someFailed : exitCode
}

/** Throws an Ending where nothing would take what the command line asks for. */
function checkOptions ({ shardsFrom, sidecars, given }: BulkOptions, { caption }: Job['tasks']) {
  const isQueued = !/^(folder|index)$/.test(shardsFrom)
  if (given.includes('creds') && !isQueued) throw wrongUsage('--creds: they are for --shards-from nats://HOST')
  if (given.includes('at_once') && !isQueued) throw wrongUsage('--at-once: it is for --shards-from nats://HOST')
  if (given.includes('completions') && shardsFrom !== 'index') {
    throw wrongUsage('--completions: it is for --shards-from index')
  }
  if (given.includes('sidecars') && sidecars && !caption) {
    throw wrongUsage('--sidecars: they are captions, which --do does not name')
  }
}

async function openSource (folder: Folder, job: Job, { io }: Session, options: BulkOptions): Promise<ShardSource> {
  const { shardsFrom, creds, completions, hold: holdSeconds, atOnce = 100 } = options
  const { signal } = io
  const shards = shardsOf(job)
  if (shardsFrom === 'folder') return createLeases(folder, shards, { holdSeconds, signal })
  if (shardsFrom === 'index') {
    return createLeases(folder, shardsOfIndex(shards, completions, io), { holdSeconds, signal })
  }
  const { openQueue } = await import('../bulk/nats.ts')
  return openQueue(folder, job, shards, { url: shardsFrom, creds, holdSeconds, atOnce, signal })
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

/** Every shard that the source gives. Tells how many sidecars could not be written. */
async function workThrough (source: ShardSource, folder: Folder, job: Job, session: Session, sidecars?: Sidecars) {
  const { output } = session
  const countDone = () => Math.min(job.pictures, folder.countDone() * job.shard_size)
  const progress = createProgress(job.pictures, countDone())
  const notes = setInterval(() => !output.isLive && output.note(progress.tell()), noteEveryMs)
  let unwritten = 0
  try {
    for (let claim = await source.next(); claim; claim = await source.next()) {
      progress.begin(countDone())
      const { shard, deaths, end } = claim
      let isDone = false
      try {
        unwritten += await workOn({
          shard,
          deaths,
          folder,
          job,
          session,
          sidecars,
          onRow (row) {
            progress.add(row)
            output.progress(progress.tell())
          }
        })
        isDone = true
      } finally {
        await end(isDone)
      }
    }
  } finally {
    clearInterval(notes)
  }
  return unwritten
}

/** What became of this worker's shards; those that nobody could do are told, and so is what was set aside. */
async function tellEnd (folder: Folder, { shards }: ShardSource, { output, settings }: Session) {
  output.clear()
  const given = shards.filter(shard => !folder.isDone(shard))
  const report = sumShards(folder, shards.filter(folder.isDone))
  for (const shard of given) output.fail(`shard ${shard} was given up; the same command tries it again`)
  for (const input of report.set_aside) output.fail(`${input}: set aside, three workers ended while they had it alone`)
  const failures = Object.entries(report.failed).map(([code, n]) => `, ${n} ${code}`)
  await output.line(
    settings.json
      ? JSON.stringify(report)
      : `${report.pictures} pictures${failures.join('')}, ${report.visual_tokens} visual tokens: ${folder.path}`
  )
  return failures.length > 0 || given.length > 0 ? exitCodes.someFailed : exitCodes.ok
}
