/** The folder of a bulk job: where what lies, and how it appears there whole or not at all. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { link, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Folder = ReturnType<typeof openFolder>

/** `work` holds what is half made, `leases` who makes it. */
export function openFolder (path: string) {
  const at = (...names: string[]) => join(path, ...names)
  for (const name of ['manifest', 'shards', 'leases', 'work']) mkdirSync(at(name), { recursive: true })
  return {
    path,
    job: at('job.json'),
    manifest: (shard: string) => at('manifest', `${shard}.jsonl`),
    shard: (shard: string) => at('shards', shard),
    lease: (shard: string) => at('leases', shard),
    /** An empty folder to make a shard in; what others have left of it is gone. */
    async beginWork (shard: string) {
      const others = readdirSync(at('work')).filter(name => name.startsWith(`${shard}.`))
      for (const name of others) await rm(at('work', name), { recursive: true, force: true })
      const made = at('work', `${shard}.${process.pid}`)
      mkdirSync(made)
      return made
    },
    temporary: () => at('work', randomUUID()),
    isDone: (shard: string) => existsSync(at('shards', shard, 'stats.json'))
  }
}

/** `00042` of 42. */
export function nameOfShard (index: number) {
  return String(index).padStart(5, '0')
}

/** The file is there with all of the text, or as it was before. */
export async function writeWhole (path: string, text: string, temporary = `${path}.${process.pid}.tmp`) {
  await writeFile(temporary, text, { flush: true })
  await rename(temporary, path)
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
    await rm(temporary)
  }
}

/** The finished folder takes its place, unless another did so before; its files are on the disk first. */
export async function moveInto (place: string, made: string, files: string[]) {
  for (const file of files) {
    const handle = await open(join(made, file), 'r+')
    await handle.sync().finally(() => handle.close())
  }
  try {
    await rename(made, place)
  } catch (error) {
    if (!existsSync(place)) throw error
    await rm(made, { recursive: true, force: true })
  }
}

/** The objects of a JSONL file. */
export function readLines<Line> (path: string): Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

export function isCode (error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
