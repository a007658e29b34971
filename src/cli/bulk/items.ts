/** What a bulk job is about: pictures of files, folders and globs, or of lists in JSONL. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf, wrongUsage } from '../endings.ts'
import { readStdin, type Io } from '../io.ts'
import { findNames, isUrl } from '../pictures.ts'
import { isObject } from '../settings.ts'

/** `input` is the picture's name in results; `image` where it is: an absolute path, a URL or a data URL. */
export type Item = { input: string; image: string; id?: string; question?: string; prompt?: string }

const fields = ['id', 'question', 'prompt'] as const

/** `-` is a list on stdin, and a name that ends with .jsonl a list. Rejects with an Ending where a line is wrong. */
export async function findItems (words: string[], io: Io): Promise<Item[]> {
  const items: Item[] = []
  for (const word of words) {
    if (word === '-') items.push(...parseList((await readStdin(io)).toString('utf8'), 'stdin', '.'))
    else if (word.endsWith('.jsonl')) items.push(...parseList(readList(word), word, dirname(word)))
    else items.push(...(await findNames([word])).map(input => ({ input, image: placeOf(input, '.') })))
  }
  return items
}

function readList (path: string) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw wrongUsage(messageOf(error))
  }
}

/** Paths of a list are relative to its folder. */
function parseList (text: string, name: string, folder: string): Item[] {
  return text
    .split('\n')
    .flatMap((line, i) => (line.trim() === '' ? [] : [parseItem(line, `${name}:${i + 1}`, folder)]))
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
