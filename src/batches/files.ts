/** Files that clients sent, and those that batches have written: each is its owner's alone. */
import { createReadStream, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { isDiskFull, writeWhole } from '../bulk/files.ts'
import { ServerError, tooManyBytes } from '../errors.ts'
import type { StoredFile } from '../schemas/openai/files.ts'
import type { Disk, DiskHold } from './disk.ts'
import { newId, readKept, removeEach, type Folder, type Log } from './folder.ts'

export type FileInfo = { owner: string; order: number; file: StoredFile }
type Kept = FileInfo & { hold: DiskHold }
type Asked = { owner: string; filename: string; purpose: StoredFile['purpose']; keepSeconds: number; id?: string }

export type FileLimits = { mostFileBytes: number; keepSeconds: number }
export type Files = ReturnType<typeof openFiles>

/** Those that were there before are there again. */
export function openFiles (folder: Folder, disk: Disk, { mostFileBytes }: FileLimits, log: Log) {
  const files = new Map<string, Kept>()
  for (const info of readInfos(folder, log)) keep(info)

  return {
    /** Newest first. */
    list: (owner: string) =>
      [...files.values()].filter(info => info.owner === owner).map(({ file }) => file).reverse(),

    /** Undefined where it is another's, too. */
    find (owner: string, id: string): StoredFile | undefined {
      const known = files.get(id)
      return known?.owner === owner ? known.file : undefined
    },

    read: (id: string) => createReadStream(folder.content(id)),

    /** What a client sends. Rejects with `too_large` or `storage_full`, and then keeps nothing. */
    async receive (owner: string, source: AsyncIterable<Buffer>): Promise<Received> {
      let bytes = 0
      return write(owner, source, (length, hold) => {
        bytes += length
        if (bytes > mostFileBytes) throw tooManyBytes('The file', mostFileBytes)
        hold.take(length)
      }).catch(error => {
        throw isDiskFull(error) ? diskFullError() : error
      })
    },

    /** What a batch has written, for which there is room. */
    receiveOwn: (owner: string, source: AsyncIterable<Buffer>) =>
      write(owner, source, (length, hold) => hold.restore(length)),

    /** What was received becomes a file, at once and whole; where that fails, nothing of it is kept. */
    async add (received: Received, { owner, filename, purpose, keepSeconds, id = newId('file-') }: Asked) {
      const { path, bytes, hold, drop } = received
      const order = Date.now()
      const createdAt = Math.floor(order / 1000)
      const file: StoredFile = {
        id,
        object: 'file',
        bytes,
        created_at: createdAt,
        expires_at: createdAt + keepSeconds,
        filename,
        purpose,
        status: 'processed'
      }
      const info: FileInfo = { owner, order, file }
      try {
        renameSync(path, folder.content(id))
        await writeWhole(folder.info(id), JSON.stringify(info), folder.temporary())
      } catch (error) {
        drop()
        remove(id)
        throw error
      }
      files.get(id)?.hold.end()
      files.set(id, { ...info, hold })
      return file
    },

    remove,

    removeExpired (now: number) {
      const old = [...files.values()].filter(({ file }) => file.expires_at * 1000 <= now)
      removeEach(old, ({ file }) => remove(file.id), log)
    }
  }

  /** Chunk by chunk onto the disk; `count` sees each before. */
  async function write (
    owner: string,
    source: AsyncIterable<Buffer>,
    count: (length: number, hold: DiskHold) => void
  ): Promise<Received> {
    const path = folder.temporary()
    const target = await open(path, 'wx', 0o600) // it is there, so that it can be removed
    const hold = disk.hold(owner)
    const drop = () => {
      hold.end()
      rmSync(path, { force: true })
    }
    let bytes = 0
    async function * counted () {
      for await (const chunk of source) {
        count(chunk.length, hold)
        bytes += chunk.length
        yield chunk
      }
    }
    try {
      await pipeline(counted, target.createWriteStream({ flush: true }))
    } catch (error) {
      drop()
      throw error
    }
    return { path, bytes, hold, drop }
  }

  function keep (info: FileInfo) {
    const hold = disk.hold(info.owner)
    hold.restore(info.file.bytes)
    files.set(info.file.id, { ...info, hold })
  }

  function remove (id: string) {
    rmSync(folder.info(id), { force: true })
    rmSync(folder.content(id), { force: true })
    files.get(id)?.hold.end()
    files.delete(id)
  }
}

export function diskFullError () {
  return new ServerError('storage_full', 'The disk of the server is full')
}

export type Received = { path: string; bytes: number; hold: DiskHold; drop: () => void }

/** In the order in which they came; contents that a crash left without their words are removed. */
function readInfos (folder: Folder, log: Log): FileInfo[] {
  const ids = readdirSync(folder.files).map(name => name.replace(/\.jsonl?$/, ''))
  return [...new Set(ids)]
    .flatMap(id => {
      if (existsSync(folder.info(id)) && existsSync(folder.content(id))) {
        return readKept<FileInfo>(folder.info(id), kept => kept.file.id === id, log)
      }
      for (const path of [folder.info(id), folder.content(id)]) rmSync(path, { force: true })
      return []
    })
    .sort((a, b) => a.order - b.order)
}
