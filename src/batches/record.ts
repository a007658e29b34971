/** What is known of a batch, as its file holds it. */
import { writeWhole } from '../bulk/files.ts'
import type { Batch, BatchRequest } from '../schemas/openai/batches.ts'
import type { Asker } from './ask.ts'
import { newId, type Folder } from './folder.ts'

/**
 * `order` is that of creation, in ms; `outputSeconds` how long its results are kept; `hasExpired` from when on lines
 * that were not done are told so.
 */
export type BatchRecord = {
  asker: Asker
  order: number
  outputSeconds: number | undefined
  hasExpired?: boolean
  batch: Batch
}

export type Status = Batch['status']

const ends: Status[] = ['failed', 'completed', 'expired', 'cancelled']

export function hasEnded ({ batch: { status } }: BatchRecord): boolean {
  return ends.includes(status)
}

export function isExpired ({ batch: { expires_at: expiresAt } }: BatchRecord, now: number): boolean {
  return expiresAt * 1000 <= now
}

/** When it came to its end, in ms; infinity before. */
export function endOf (record: BatchRecord): number {
  const { status } = record.batch
  if (!hasEnded(record) || status === 'validating') return Infinity
  return 1000 * (record.batch[`${status}_at`] ?? 0)
}

export function createRecord (asked: BatchRequest, asker: Asker, now: number): BatchRecord {
  const seconds = Math.floor(now / 1000)
  const hours = Number(asked.completion_window.slice(0, -1))
  return {
    asker,
    order: now,
    outputSeconds: asked.output_expires_after?.seconds,
    batch: {
      id: newId('batch_'),
      object: 'batch',
      endpoint: asked.endpoint,
      errors: null,
      input_file_id: asked.input_file_id,
      completion_window: asked.completion_window,
      status: 'validating',
      output_file_id: null,
      error_file_id: null,
      created_at: seconds,
      in_progress_at: null,
      expires_at: seconds + hours * 3600,
      finalizing_at: null,
      completed_at: null,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: { total: 0, completed: 0, failed: 0 },
      metadata: asked.metadata ?? null
    }
  }
}

/** The state and its time, in memory and on the disk. */
export async function moveTo (record: BatchRecord, status: Exclude<Status, 'validating'>, folder: Folder, now: number) {
  record.batch.status = status
  record.batch[`${status}_at`] = Math.floor(now / 1000)
  await saveRecord(record, folder)
}

const saving = new WeakMap<BatchRecord, Promise<void>>() // one after the other, so that the last one stays

export async function saveRecord (record: BatchRecord, folder: Folder) {
  const { record: path } = folder.batch(record.batch.id)
  const write = () => writeWhole(path, JSON.stringify(record), folder.temporary())
  const saved = (saving.get(record) ?? Promise.resolve()).then(write, write)
  saving.set(record, saved)
  await saved
}
