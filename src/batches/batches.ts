/** All batches of the folder: made, found, cancelled, and driven to their end. */
import { copyFileSync, linkSync, mkdirSync, readdirSync, rmSync, statSync, existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { isDiskFull } from '../bulk/files.ts'
import { ServerError, invalidField } from '../errors.ts'
import type { Batch, BatchRequest } from '../schemas/openai/batches.ts'
import type { Asker } from './ask.ts'
import type { Disk } from './disk.ts'
import { drive, removeWork, type DriveTools, type Entry } from './drive.ts'
import { diskFullError } from './files.ts'
import { readKept, removeEach, type Log } from './folder.ts'
import { createGate, type Gate } from './gate.ts'
import { createRecord, endOf, hasEnded, isExpired, moveTo, saveRecord, type BatchRecord } from './record.ts'

type Tools = Omit<DriveTools, 'turnOf'> & { disk: Disk; log: Log }

export type Batches = ReturnType<typeof openBatches>

const restMs = 10_000 // after a fault of the disk or of ours, before a batch goes on

/** Those that were there before go on. */
export function openBatches (tools: Tools) {
  const { folder, files, disk, limits, closing, now, log } = tools
  const turns = new Map<string, Gate>()
  const driving = new Set<Promise<void>>()
  const entries = new Map(readRecords(tools).map(record => [record.batch.id, createEntry(record)]))
  const ended = [...entries.values()].filter(({ record }) => hasEnded(record))
  removeEach(ended, ({ record }) => removeWork(record, folder), log)
  for (const entry of entries.values()) if (!hasEnded(entry.record)) begin(entry)

  return {
    /** Newest first. */
    list: (owner: string) => owned(owner).map(({ record }) => record.batch).reverse(),

    /** Undefined where it is another's, too. */
    find: (owner: string, id: string) => entryOf(owner, id)?.record.batch,

    /** Rejects with `invalid_field` where there is no such file, with `storage_full` where there is no room. */
    async create (asked: BatchRequest, asker: Asker): Promise<Batch> {
      const file = files.find(asker.owner, asked.input_file_id)
      if (file?.purpose !== 'batch') throw invalidField('/input_file_id', 'is no file of requests that is here')
      const entry = createEntry(createRecord(asked, asker, now()))
      const { record } = entry
      const { path, input } = folder.batch(record.batch.id)
      entry.hold.take(file.bytes)
      try {
        mkdirSync(path, { mode: 0o700 })
        linkOrCopy(folder.content(file.id), input)
        await saveRecord(record, folder)
      } catch (error) {
        entry.hold.end()
        rmSync(path, { recursive: true, force: true })
        throw isDiskFull(error) ? diskFullError() : error
      }
      entries.set(record.batch.id, entry)
      const created = structuredClone(record.batch)
      begin(entry)
      return created
    },

    /**
     * Undefined where there is none. Rejects with `invalid_request` where it has ended already; with `storage_full`
     * where a restart would not know of it, but then it is cancelled all the same.
     */
    async cancel (owner: string, id: string): Promise<Batch | undefined> {
      const entry = entryOf(owner, id)
      if (!entry) return
      const { record, halt } = entry
      const { status } = record.batch
      if (hasEnded(record) || status === 'finalizing') {
        throw new ServerError('invalid_request', `The batch is ${status}, so it cannot be cancelled`)
      }
      try {
        if (status !== 'cancelling') await moveTo(record, 'cancelling', folder, now())
        return structuredClone(record.batch)
      } catch (error) {
        throw isDiskFull(error) ? diskFullError() : error
      } finally {
        halt.abort()
      }
    },

    /** Ends what has expired, and forgets what has long ended. */
    sweep () {
      const records = [...entries.values()].map(({ record, halt }) => {
        if (!hasEnded(record) && isExpired(record, now())) halt.abort()
        return record
      })
      removeEach(records.filter(record => endOf(record) + limits.keepSeconds * 1000 <= now()), forget, log)
    },

    /** Resolves when nothing is written any more, after `closing`. */
    settle: () => Promise.all(driving)
  }

  function createEntry (record: BatchRecord): Entry {
    const hold = disk.hold(record.asker.owner)
    if (!hasEnded(record)) hold.restore(sizeOf(record))
    return { record, halt: new AbortController(), hold }
  }

  /** Bytes of what it works with. */
  function sizeOf ({ batch: { id } }: BatchRecord) {
    const { input, journal } = folder.batch(id)
    return [input, journal].reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
  }

  function begin (entry: Entry) {
    const driven = driveOn(entry).finally(() => driving.delete(driven))
    driving.add(driven)
  }

  async function driveOn (entry: Entry) {
    while (!closing.aborted && !hasEnded(entry.record)) {
      try {
        await drive(entry, { ...tools, turnOf })
      } catch (error) {
        log.warn({ err: error, batch: entry.record.batch.id }, 'a batch rests after a fault')
      }
      if (!hasEnded(entry.record)) await pause(restMs, undefined, { signal: closing }).catch(() => {})
    }
  }

  function turnOf (owner: string): Gate {
    const known = turns.get(owner) ?? createGate(1)
    turns.set(owner, known)
    return known
  }

  function owned (owner: string) {
    return [...entries.values()].filter(({ record }) => record.asker.owner === owner)
  }

  function entryOf (owner: string, id: string): Entry | undefined {
    const known = entries.get(id)
    return known?.record.asker.owner === owner ? known : undefined
  }

  function forget ({ batch: { id } }: BatchRecord) {
    rmSync(folder.batch(id).path, { recursive: true, force: true })
    entries.delete(id)
  }
}

/** In the order in which they were made; one whose making was cut off is removed. */
function readRecords ({ folder, log }: Tools): BatchRecord[] {
  return readdirSync(folder.batches)
    .flatMap(id => {
      const { path, record } = folder.batch(id)
      if (existsSync(record)) {
        return readKept<BatchRecord>(record, kept => kept.batch.id === id && kept.asker !== undefined, log)
      }
      rmSync(path, { recursive: true, force: true })
      return []
    })
    .sort((a, b) => a.order - b.order)
}

/** The input stays, whatever becomes of the file. Not all file systems have links. */
function linkOrCopy (from: string, to: string) {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}
