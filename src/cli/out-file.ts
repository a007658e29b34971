/** Files that the user names for what comes of a command. */
import { accessSync, constants, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, wrongUsage } from './endings.ts'

/** Throws an Ending where no file can be written there, so that no work is done for it. */
export function checkOutFile (flag: string, path: string) {
  const stats = orEnding(flag, () => statSync(path, { throwIfNoEntry: false }))
  if (stats?.isDirectory() || /(^|\/)$/.test(path)) throw wrongUsage(`${flag}: ${JSON.stringify(path)} names no file`)
  orEnding(flag, () => accessSync(stats ? path : `${dirname(path)}/`, constants.W_OK))
}

/** Rejects with an Ending where it cannot be written after all. */
export async function writeOutFile (flag: string, path: string, bytes: Uint8Array) {
  await writeFile(path, bytes).catch(error => {
    throw wrongUsage(`${flag}: ${messageOf(error)}`)
  })
}

function orEnding<T> (flag: string, look: () => T): T {
  try {
    return look()
  } catch (error) {
    throw wrongUsage(`${flag}: ${messageOf(error)}`)
  }
}
