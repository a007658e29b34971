/** The folder of files and batches: where what lies, and how it appears there whole or not at all. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../bulk/files.ts'

export type Folder = ReturnType<typeof openFolder>

/** What others on the machine may not read, since it is the clients'. Throws as the file system does. */
export function openFolder (path: string) {
  const at = (...names: string[]) => join(path, ...names)
  for (const name of ['files', 'batches', 'incoming', 'leases']) makeFolder(at(name), 0o700)
  return {
    leases: at('leases'),
    files: at('files'),
    content: (id: string) => at('files', `${id}.jsonl`),
    info: (id: string) => at('files', `${id}.json`),
    /** What arrives or is being written; it is gone after a restart. */
    incoming: at('incoming'),
    temporary: () => at('incoming', newId('tmp-')),
    batches: at('batches'),
    batch: (id: string) => ({
      path: at('batches', id),
      record: at('batches', id, 'batch.json'),
      input: at('batches', id, 'input.jsonl'),
      journal: at('batches', id, 'done.jsonl')
    })
  }
}

export type Log = { warn: (details: object, message: string) => void }

/** None where the file is broken, which is left as it is and warned of: all others are not to suffer from it. */
export function readKept<Kept> (path: string, isWhole: (kept: Kept) => boolean, log: Log): Kept[] {
  try {
    const kept: Kept = JSON.parse(readFileSync(path, 'utf8'))
    if (isWhole(kept)) return [kept]
    log.warn({ path }, 'a file of the folder of batches is not what it should be, and is left out')
  } catch (err) {
    log.warn({ err, path }, 'a file of the folder of batches cannot be read, and is left out')
  }
  return []
}

/** What cannot be removed stays until the next time; one warning tells of all of it. */
export function removeEach<Thing> (things: Thing[], remove: (thing: Thing) => void, log: Log) {
  const errors: unknown[] = []
  for (const thing of things) {
    try {
      remove(thing)
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) {
    log.warn({ err: errors[0], count: errors.length }, 'what is over in the folder of batches cannot be removed')
  }
}

/** Cannot be guessed, and is the name of a file as it stands. */
export function newId (prefix: 'file-' | 'batch_' | 'tmp-') {
  return prefix + randomBytes(16).toString('hex')
}
