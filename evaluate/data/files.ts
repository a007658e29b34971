/** Finding and reading the files of a data folder; what is missing is said with the place where it was looked for. */
import { closeSync, existsSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A data folder or an option that cannot be used; its message is all that the user sees. */
export class DataError extends Error {}

export function readJson (file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new DataError(`${file} ${cause instanceof SyntaxError ? 'is not JSON' : 'cannot be read'}`, { cause })
  }
}

/** Says before the work that a file could not be written after it. */
export function checkWritable (file: string): void {
  try {
    const isNew = !existsSync(file)
    closeSync(openSync(file, 'a'))
    if (isNew) rmSync(file)
  } catch (cause) {
    throw new DataError(`${file} cannot be written: ${(cause as Error).message}`, { cause })
  }
}

/** The one JSON file of the folder whose name fits, unless one is named. */
export function findFile (folder: string, pattern: RegExp, option: string, named?: string): string {
  if (named !== undefined) return named
  const found = listFolder(folder).filter(name => pattern.test(name))
  if (found.length === 1) return join(folder, found[0]!)
  throw new DataError(
    found.length === 0
      ? `${folder} has no file whose name fits ${pattern.source}; name it with ${option}`
      : `${folder} has several files that fit (${found.join(', ')}); name one with ${option}`
  )
}

/**
 * The path of a picture by its file name, or by its id: the number that its file name ends with, as in
 * `COCO_val2014_000000391895.jpg`.
 */
export function indexPictures (folder: string): (id: number, fileName?: string) => string {
  const names = listFolder(folder).filter(name => /\.(png|jpe?g|webp|gif|avif)$/i.test(name))
  const known = new Set(names)
  const byNumber = new Map(names.map(name => [Number(/(\d+)\.\w+$/.exec(name)?.[1] ?? NaN), name]))
  return (id, fileName) => {
    const name =
      fileName === undefined ? byNumber.get(id) : known.has(basename(fileName)) ? basename(fileName) : undefined
    if (name === undefined) {
      throw new DataError(`${folder} has no picture ${fileName ?? `whose name ends with the number ${id}`}`)
    }
    return join(folder, name)
  }
}

function listFolder (folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (cause) {
    throw new DataError(`There is no folder ${folder}`, { cause })
  }
}
