/** A batch on its way: from wherever it stands, through its states, to its end. */
import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { isDiskFull } from '../bulk/files.ts'
import { ServerError } from '../errors.ts'
import type { Ask } from './ask.ts'
import { checkRequests } from './check.ts'
import type { DiskHold } from './disk.ts'
import { diskFullError, type Files } from './files.ts'
import type { Folder } from './folder.ts'
import type { Gate } from './gate.ts'
import { openJournal, readRows, type Journal, type Row } from './journal.ts'
import { isExpired, moveTo, saveRecord, type BatchRecord } from './record.ts'
import { readRequests, type LineName } from './request-line.ts'
import { expiredRow, makeRow } from './row.ts'
import { workLines } from './work.ts'

/** `halt` ends the work on its lines: it was cancelled, or has expired. */
export type Entry = { record: BatchRecord; halt: AbortController; hold: DiskHold }

export type DriveTools = {
  folder: Folder
  files: Files
  limits: { mostLines: number; mostLineBytes: number; inFlight: number; keepSeconds: number }
  ask: Ask
  /** Lines that are asked at a time, and bytes of lines in memory, of all batches. */
  places: Gate
  room: Gate
  /** One batch of an owner works at a time. */
  turnOf: (owner: string) => Gate
  closing: AbortSignal
  /** Whether the folder is still this server's: where it is not, nothing may be written any more. */
  isHeld: () => boolean
  now: () => number
  /** Hears of every line that is done. */
  onLine: (endpoint: string, isGood: boolean) => void
}

/** Resolves at its end, or where the server closes: then it goes on from there after the next start. */
export async function drive (entry: Entry, tools: DriveTools): Promise<void> {
  const { record, halt } = entry
  const stop = AbortSignal.any([halt.signal, tools.closing])
  setMaxListeners(0, stop) // as many as there are lines in flight
  if (is(record, 'validating') && !(await validate(entry, tools))) return
  const isOver = record.hasExpired || record.batch.errors !== null // what follows could not be written so far
  const leave = is(record, 'in_progress') && !isOver ? await tools.turnOf(record.asker.owner).enter(stop) : undefined
  const journal = await openJournal(tools.folder.batch(record.batch.id).journal)
  try {
    if (leave) await workWithin(entry, journal, tools, stop)
    if (!tools.isHeld()) return
    await journal.sync()
    await conclude(entry, journal, tools)
  } finally {
    leave?.()
    await journal.close()
  }
}

/** False where it has ended so, or the server closes. One that expires meanwhile needs the number of its lines, too. */
async function validate (entry: Entry, tools: DriveTools): Promise<boolean> {
  const { record } = entry
  const { folder, limits, closing, now } = tools
  const { input } = folder.batch(record.batch.id)
  const isOff = () => closing.aborted || is(record, 'cancelling')
  const { total, errors } = await checkRequests(input, { ...limits, endpoint: record.batch.endpoint }, isOff)
  if (closing.aborted) return false
  if (is(record, 'cancelling')) return true
  if (errors.length > 0) {
    record.batch.errors = { object: 'list', data: errors }
    await end(entry, 'failed', undefined, tools)
    return false
  }
  record.batch.request_counts.total = total
  await moveTo(record, 'in_progress', folder, now())
  return true
}

/** As work; the batch has an error where there is no room for its rows. */
async function workWithin (entry: Entry, journal: Journal, tools: DriveTools, stop: AbortSignal) {
  try {
    await work(entry, journal, tools, stop)
  } catch (error) {
    const full = isDiskFull(error) ? diskFullError() : error
    if (!(full instanceof ServerError && full.code === 'storage_full')) throw error
    const { code, message } = full
    entry.record.batch.errors = { object: 'list', data: [{ code, message, param: null, line: null }] }
  }
}

async function work (entry: Entry, journal: Journal, tools: DriveTools, stop: AbortSignal) {
  const { record, hold } = entry
  const { folder, limits, ask, places: gate, room, isHeld, onLine } = tools
  const { id, endpoint, request_counts: counts } = record.batch
  Object.assign(counts, journal.counts)
  await workLines({
    input: folder.batch(id).input,
    limits: { endpoint, mostLineBytes: limits.mostLineBytes },
    journal,
    room,
    ahead: 2 * limits.inFlight,
    isHeld,
    stop,
    work: line => makeRow(line, { url: endpoint, ask, asker: record.asker, gate, stop }),
    onStopped: createPass(entry, tools),
    onRow ({ isGood, text }) {
      Object.assign(counts, journal.counts)
      onLine(endpoint, isGood)
      hold.take(text.length)
    }
  })
}

/**
 * How a batch that is over goes on behind a line that was stopped. Its record says so first: what is written from here
 * on no longer tells how far it is, so that after a restart none of it may be begun anew.
 */
function createPass ({ record, halt }: Entry, { folder, isHeld, now }: DriveTools) {
  let isTold = false
  return async (line: LineName): Promise<Row | 'gap' | 'end'> => {
    const isCancelled = is(record, 'cancelling')
    if (!isHeld() || !(isCancelled || halt.signal.aborted || isExpired(record, now()))) return 'end'
    if (!isTold) {
      if (!isCancelled) record.hasExpired = true
      await saveRecord(record, folder)
      isTold = true
    }
    return record.hasExpired ? expiredRow(line) : 'gap'
  }
}

/** Gives the batch its end, where it has come to it. */
async function conclude (entry: Entry, journal: Journal, tools: DriveTools): Promise<void> {
  const { record } = entry
  const { folder, now } = tools
  const isDone = journal.rows() >= record.batch.request_counts.total
  if (is(record, 'cancelling')) return end(entry, 'cancelled', journal, tools)
  if (record.batch.errors) return end(entry, 'failed', journal, tools)
  if (isDone && !record.hasExpired) {
    if (!is(record, 'finalizing')) await moveTo(record, 'finalizing', folder, now())
    return end(entry, 'completed', journal, tools)
  }
  if (!record.hasExpired && !isExpired(record, now())) return
  record.hasExpired = true
  await saveRecord(record, folder)
  await addExpired(record, journal, tools)
  return end(entry, 'expired', journal, tools)
}

async function addExpired ({ batch: { id, endpoint } }: BatchRecord, journal: Journal, { folder, limits }: DriveTools) {
  let done = journal.rows()
  for await (const line of readRequests(folder.batch(id).input, { ...limits, endpoint })) {
    if (done-- <= 0) await journal.add(expiredRow(line))
  }
  await journal.sync()
}

/** What there are of results become files, then the state says so: a crash between comes here once more. */
async function end (
  entry: Entry,
  status: 'completed' | 'failed' | 'expired' | 'cancelled',
  journal: Journal | undefined,
  tools: DriveTools
) {
  const { record, hold } = entry
  const { batch } = record
  hold.end()
  if (journal) {
    Object.assign(batch.request_counts, journal.counts)
    if (journal.counts.completed > 0) batch.output_file_id = await writeResults(record, 'output', tools)
    if (journal.counts.failed > 0) batch.error_file_id = await writeResults(record, 'error', tools)
  }
  await moveTo(record, status, tools.folder, tools.now())
  removeWork(record, tools.folder)
}

/** The file's name follows from the batch, so that results that are written twice are there once. */
async function writeResults (record: BatchRecord, kind: 'output' | 'error', { folder, files, limits }: DriveTools) {
  const { asker, batch, outputSeconds } = record
  const rows = readRows(folder.batch(batch.id).journal, kind === 'output')
  const id = `file-${createHash('sha256').update(`${batch.id} ${kind}`).digest('hex').slice(0, 32)}`
  const keepSeconds = Math.min(outputSeconds ?? limits.keepSeconds, limits.keepSeconds)
  const filename = `${batch.id}_${kind}.jsonl`
  const received = await files.receiveOwn(asker.owner, rows)
  await files.add(received, { id, owner: asker.owner, filename, purpose: 'batch_output', keepSeconds })
  return id
}

/** What only a batch that goes on needs. */
export function removeWork ({ batch: { id } }: BatchRecord, folder: Folder) {
  const { input, journal } = folder.batch(id)
  for (const path of [input, journal]) if (existsSync(path)) rmSync(path)
}

function is ({ batch }: BatchRecord, status: BatchRecord['batch']['status']): boolean {
  return batch.status === status
}
