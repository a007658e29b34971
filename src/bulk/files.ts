/** Files of a long job: each is there whole or not at all, whatever kills who writes it. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, statSync } from 'node:fs'
import { link, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'

/**
 * The folder is there, and those above it. Throws as the file system does, also where Node's own `recursive` goes round
 * for ever, as below /proc.
 */
export function makeFolder (path: string, mode = 0o777) {
  const above = dirname(path)
  if (above !== path && !existsSync(above)) makeFolder(above, mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/** The file is there with all of the text, or as it was before. */
export async function writeWhole (path: string, text: string, temporary = join(dirname(path), `.${randomUUID()}`)) {
  try {
    await writeFile(temporary, text, { flush: true })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

/** As writeWhole, unless the file is there already; then false. */
export async function writeOnce (path: string, text: string, temporary: string): Promise<boolean> {
  await writeFile(temporary, text, { flush: true })
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/**
 * The finished folder takes its place, unless another did so before; its files are on the disk first. What lies there
 * without the last of them is none, and goes.
 */
export async function moveInto (place: string, made: string, files: string[]) {
  for (const file of files) {
    const handle = await open(join(made, file), 'r+')
    await handle.sync().finally(() => handle.close())
  }
  try {
    await rename(made, place)
  } catch (error) {
    if (!existsSync(place)) throw error
    const broken = `${made}.broken`
    const isWhole = existsSync(join(place, files.at(-1) ?? ''))
    if (!isWhole) {
      await rename(place, broken)
      await rename(made, place)
    }
    await rm(isWhole ? made : broken, { recursive: true, force: true })
  }
}

/** A file that is written from its begin to its end, at the pace of the disk. */
export function writeAlong (path: string) {
  const stream = createWriteStream(path)
  return {
    async write (data: string | Buffer) {
      if (!stream.write(data)) await once(stream, 'drain')
    },
    async end () {
      stream.end()
      await finished(stream)
    }
  }
}

/** Whether there is no room for more. */
export function isDiskFull (error: unknown): boolean {
  return isCode(error, 'ENOSPC') || isCode(error, 'EDQUOT')
}

export function isCode (error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
