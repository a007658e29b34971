/** Pictures that lie in tar files, as WebDataset keeps them: read where they lie, and not unpacked. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { extract } from 'tar-stream'
import { messageOf, wrongUsage } from '../endings.ts'
import { isPicture } from '../pictures.ts'

/** `key` is the name up to the first dot of its last part; `at` says where in the file its bytes begin and how many. */
export type Member = { name: string; key: string; at: [offset: number, bytes: number] }

/** The pictures of a tar file, in order. Rejects with an Ending where it is none. */
export async function * listTar (path: string): AsyncGenerator<Member> {
  const entries = extract()
  createReadStream(path).on('error', error => entries.destroy(error)).pipe(entries)
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

/** The bytes of a member. */
export async function readMember (path: string, [offset, bytes]: Member['at']): Promise<Buffer> {
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
