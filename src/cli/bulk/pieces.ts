/**
 * A shard that ends its workers: its pictures one at a time, each row kept as soon as it is there, so that the picture
 * that ends them is known and set aside.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode, writeOnce } from '../../bulk/files.ts'
import type { Folder } from './folder.ts'
import type { Row } from './row.ts'

const mostDeaths = 3 // more than chance would have where many workers are killed from outside

export type Pieces = Awaited<ReturnType<typeof openPieces>>

export async function openPieces (folder: Folder, shard: string) {
  const path = folder.pieces(shard)
  await mkdir(path, { recursive: true })
  const write = (name: string, text: string) => writeOnce(join(path, name), text, folder.temporary(shard))

  /** The row of picture `i`, kept or made; undefined where three workers did not survive it. */
  return async (i: number, make: () => Promise<Row>): Promise<Row | undefined> => {
    const kept = readRow(join(path, `${i}.json`))
    if (kept) return kept
    const deaths = readdirSync(path).filter(name => name.startsWith(`${i}.begun-`)).length
    if (deaths >= mostDeaths) return undefined
    const mark = `${i}.begun-${deaths}`
    await write(mark, '')
    try {
      const row = await make()
      if (!row.isUncertain) await write(`${i}.json`, JSON.stringify(row))
      return row
    } finally {
      await rm(join(path, mark), { force: true }) // whatever has happened, this worker survived it
    }
  }
}

/** One that cannot be read is made again. */
function readRow (path: string): Row | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (isCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}
