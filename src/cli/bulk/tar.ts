/** Pictures that lie in tar files, as WebDataset keeps them: read where they lie. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { messageOf, wrongUsage } from '../endings.ts'
import { isPicture } from '../pictures.ts'
import { isPacked, unpack, type Place } from './packed.ts'

/**
 * `key` is the name up to the first dot of its last part; `at` is the place of its bytes in the file, or in what that
 * unpacks to.
 */
export type Member = { name: string; key: string; at: Place }

export function isTar (path: string) {
  return path.endsWith('.tar') || isPacked(path)
}

/** The pictures of a tar file, in order. Rejects with an Ending where it is none. */
export async function * listTar (path: string): AsyncGenerator<Member> {
  const entries = extract()
  const bytes: Readable = isPacked(path) ? Readable.from(unpack(path), { objectMode: false }) : createReadStream(path)
  bytes.on('error', error => entries.destroy(error)).pipe(entries)
  try {
    for await (const entry of entries) {
      const header = { byteOffset: NaN, ...entry.header } // which its types do not have
      const { name, type, size = 0, byteOffset } = header
      if (type === 'file' && isPicture(name)) yield { name, key: keyOf(name), at: [byteOffset, size] }
      entry.resume()
    }
  } catch (error) {
    throw wrongUsage(`${path}: ${messageOf(error)}`)
  }
}

/** The bytes of a member of a file that is not packed. */
export async function readMember (path: string, [offset, bytes]: Place): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

function keyOf (name: string) {
  const [key = ''] = basename(name).split('.')
  return join(dirname(name), key)
}
