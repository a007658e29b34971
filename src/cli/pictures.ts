/** Which pictures are meant: files, folders, globs, URLs, and `-` for stdin. */
import { createReadStream, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { messageOf, Refusal, wrongUsage } from './endings.ts'
import { mostBytes, readStdin, type Io } from './io.ts'

/** What is asked about, under the name that answers tell it by; `fields` are those of the request that hold it. */
export type Picture = { name: string; fields: () => Promise<{ image?: string }> }

const extensions = ['png', 'jpg', 'jpeg', 'webp', 'gif', 'avif', 'svg']

/** In the order given, those of a folder or glob in order of name. Rejects with an Ending where there is none. */
export async function findPictures (words: string[], io: Io): Promise<Picture[]> {
  if (words.filter(word => word === '-').length > 1) throw wrongUsage('stdin can be one picture only')
  const names = await findNames(words)
  return names.map(name => ({ name, fields: async () => ({ image: await readImage(name, io) }) }))
}

/** Names of pictures: paths of files, URLs as they are, and `-`. */
export async function findNames (words: string[]): Promise<string[]> {
  const found: string[] = []
  for (const word of words) found.push(...(word === '-' || isUrl(word) ? [word] : await findFiles(word)))
  return found
}

/** What a request holds of a picture: base64 of a file or of stdin, a URL as it is. */
export async function readImage (word: string, io: Io): Promise<string> {
  if (word === '-') return (await readStdin(io)).toString('base64')
  return isUrl(word) ? word : readFileOf(word)
}

/** The same of a picture that must be there. Rejects with an Ending where there is no such file. */
export async function readPicture (word: string, io: Io): Promise<string> {
  if (word !== '-' && !isUrl(word)) {
    const stats = lookAt(word)
    if (!stats) throw wrongUsage(`${word}: there is no such file`)
    if (stats.isDirectory()) throw wrongUsage(`${word}: a folder is no picture of a prompt`)
  }
  return readImage(word, io)
}

export function isUrl (word: string) {
  return /^https?:\/\//.test(word)
}

/** Files of a path, a folder or a glob. Rejects with an Ending where there are none. */
async function findFiles (word: string): Promise<string[]> {
  const stats = lookAt(word)
  if (stats && !stats.isDirectory()) return [word]
  const { glob, isDynamicPattern } = await import('tinyglobby')
  const options = { caseSensitiveMatch: false, expandDirectories: false }
  const paths = stats?.isDirectory()
    ? (await glob(`**/*.{${extensions.join(',')}}`, { ...options, cwd: word })).map(path => join(word, path))
    : isDynamicPattern(word)
      ? await glob(word, { expandDirectories: false, absolute: isAbsolute(word) })
      : []
  if (paths.length === 0) throw wrongUsage(`${word}: there is no ${stats ? 'picture in it' : 'such file'}`)
  return paths.sort((a, b) => (a < b ? -1 : 1))
}

/** Undefined where nothing is there. Throws an Ending where that cannot be known. */
function lookAt (path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw wrongUsage(messageOf(error))
  }
}

/** Whether a file of such a name is taken for a picture where none was named itself. */
export function isPicture (name: string) {
  return extensions.some(extension => name.toLowerCase().endsWith(`.${extension}`))
}

/** Base64 of a file. */
async function readFileOf (path: string): Promise<string> {
  const bytes = await stat(path).then(({ size }) => size, () => 0) // reading it tells why
  return readBounded(bytes, () => buffer(createReadStream(path, { end: mostBytes }))) // a device has no size
}

/** Base64 of what `read` reads. What cannot be read, or is too large, is refused as a broken picture is. */
export async function readBounded (bytes: number, read: () => Promise<Buffer>): Promise<string> {
  const refuse = (status: number, code: string, detail: string) => new Refusal({ status, code, detail })
  const tooLarge = () => refuse(413, 'too_large', `The picture has more than ${mostBytes} bytes`)
  if (bytes > mostBytes) throw tooLarge()
  const picture = await read().catch((error: unknown) => {
    throw refuse(422, 'image_unreadable', messageOf(error))
  })
  if (picture.length > mostBytes) throw tooLarge()
  return picture.toString('base64')
}
