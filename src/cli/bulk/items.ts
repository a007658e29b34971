/** What a bulk job is about: pictures of files, folders and globs, of tar files, or of lists in JSONL. */
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { wrongUsage } from '../endings.ts'
import type { Io } from '../io.ts'
import { findNames, isUrl, readBounded, readImage } from '../pictures.ts'
import { isObject } from '../settings.ts'
import { isPacked, readPacked } from './packed.ts'
import { isTar, listTar, readMember, type Member } from './tar.ts'

/**
 * `input` is the picture's name in results; `image` where it is: an absolute path, a URL or a data URL. `at` is the
 * place in a tar file.
 */
export type Item = {
  input: string
  image: string
  at?: Member['at']
  id?: string
  question?: string
  prompt?: string
}

const fields = ['id', 'question', 'prompt'] as const

/**
 * One after the other, however many. `-` is a list on stdin, and a name that ends with .jsonl a list. Rejects with an
 * Ending where a line is wrong.
 */
export async function * findItems (words: string[], { stdin, signal }: Io): AsyncGenerator<Item> {
  if (words.filter(word => word === '-').length > 1) throw wrongUsage('stdin can be one list only')
  for (const word of words) {
    if (word === '-') yield * readList(addAbortSignal(signal, stdin), 'stdin', '.')
    else if (word.endsWith('.jsonl')) yield * readList(createReadStream(word), word, dirname(word))
    else for (const input of await findNames([word])) yield * itemsOf(input)
  }
}

/** What a request holds of it. */
export async function readItem ({ image, at }: Item, io: Io): Promise<string> {
  if (image.startsWith('data:')) return image
  if (!at) return readImage(image, io)
  return readBounded(at[1], () => (isPacked(image) ? readPacked(image, at, io) : readMember(image, at)))
}

/** A picture, or those of a tar file. */
async function * itemsOf (input: string): AsyncGenerator<Item> {
  const image = placeOf(input, '.')
  if (!isTar(input) || isUrl(input)) return yield { input, image }
  for await (const { name, key, at } of listTar(input)) yield { input: `${input}/${name}`, id: key, image, at }
}

/** Paths of a list are relative to its folder. */
async function * readList (bytes: AsyncIterable<Buffer>, name: string, folder: string): AsyncGenerator<Item> {
  let count = 0
  for await (const line of linesOf(bytes)) {
    count++
    if (line.trim() !== '') yield parseItem(line, `${name}:${count}`, folder)
  }
}

/** Without a byte order mark. JSON may hold U+2028, where lines of `node:readline` end from Node 24 on. */
async function * linesOf (bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of bytes) {
    const [first = '', ...others] = decoder.decode(Buffer.from(chunk), { stream: true }).split('\n')
    rest += first
    for (const line of others) {
      yield rest
      rest = line
    }
  }
  yield rest + decoder.decode()
}

function parseItem (line: string, where: string, folder: string): Item {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw wrongUsage(`${where}: it is not JSON`)
  }
  if (!isObject(value) || typeof value.image !== 'string') throw wrongUsage(`${where}: it is no object with an image`)
  const { image, ...rest } = value
  const item: Item = { input: image.startsWith('data:') ? where : image, image: placeOf(image, folder) }
  for (const field of fields) {
    const { [field]: given } = rest
    if (given === undefined) continue
    if (typeof given !== 'string') throw wrongUsage(`${where}: ${field} is no text`)
    item[field] = given
    delete rest[field]
  }
  const [strange] = Object.keys(rest)
  if (strange !== undefined) throw wrongUsage(`${where}: ${strange} is none of image, ${fields.join(', ')}`)
  return item
}

function placeOf (image: string, folder: string) {
  return isUrl(image) || image.startsWith('data:') ? image : resolve(folder, image)
}
