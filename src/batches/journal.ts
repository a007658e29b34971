/**
 * The rows of a batch that are done, appended in the order of its file: the file of them alone says how far the batch
 * is, whatever ended the server.
 */
import { open } from 'node:fs/promises'
import { readLines } from './lines.ts'

/** A row is good or an error; `text` is its JSON. */
export type Row = { isGood: boolean; text: string }
export type Journal = Awaited<ReturnType<typeof openJournal>>

const rowsEachSync = 32

/** Goes on behind the last whole row; what a crash has left behind it is cut off. */
export async function openJournal (path: string) {
  const handle = await open(path, 'a+')
  const { size } = await handle.stat()
  const counts = { completed: 0, failed: 0 }
  let bytes = 0
  for await (const line of readLines(path, Infinity)) {
    const end = bytes + (line.bytes?.length ?? 0) + 1
    const row = readRow(line.bytes)
    if (row === undefined || end > size) break
    bytes = end
    count(row)
  }
  await handle.truncate(bytes)
  let unsynced = 0

  return {
    counts,
    rows: () => counts.completed + counts.failed,
    bytes: () => bytes,

    /** The row is on the disk a few rows later, or with `sync`. */
    async add (row: Row) {
      const line = Buffer.from(`${row.isGood ? '+' : '-'}${row.text}\n`)
      await handle.appendFile(line).catch(async error => {
        await handle.truncate(bytes) // a part may be there
        throw error
      })
      bytes += line.length
      count(row)
      if (++unsynced >= rowsEachSync) await sync()
    },

    sync,
    close: () => handle.close()
  }

  function count ({ isGood }: { isGood: boolean }) {
    counts[isGood ? 'completed' : 'failed']++
  }

  async function sync () {
    unsynced = 0
    await handle.datasync()
  }
}

/** The rows of a journal that is whole, good ones or errors, as lines of JSON. */
export async function * readRows (path: string, areGood: boolean): AsyncGenerator<Buffer> {
  for await (const { bytes } of readLines(path, Infinity)) {
    const row = readRow(bytes)
    if (row?.isGood === areGood) yield Buffer.concat([row.json, newline])
  }
}

const newline = Buffer.from('\n')

/** Undefined where the bytes are none: what a disk lost holds anything. */
function readRow (bytes: Buffer | undefined): { isGood: boolean; json: Buffer } | undefined {
  const json = bytes?.subarray(1)
  if (!bytes || !json || json[0] !== 0x7b || json.at(-1) !== 0x7d) return undefined
  if (bytes[0] === 0x2b) return { isGood: true, json }
  return bytes[0] === 0x2d ? { isGood: false, json } : undefined
}
