/** lavit paint and lavit detokenize: a prompt, or visual tokens, to picture files. */
import { extname, format, parse } from 'node:path'
import { answers } from '../answers.ts'
import { wrongUsage } from '../endings.ts'
import { readStdin, readText } from '../io.ts'
import { jobs } from '../jobs.ts'
import { checkOutFile, writeOutFile } from '../out-file.ts'
import { readPicture } from '../pictures.ts'
import { isObject } from '../settings.ts'
import type { Session } from '../session.ts'
import { parseTokens } from '../values.ts'

type Fields = Record<string, unknown>
type Place = { out: string | undefined; i: number; of: number; seed: number; type: string }
type Part = { type: 'text'; text: string } | { type: 'image'; image: string }

const mostChecked = 100 // more pictures than any server paints at once

const formats = new Map([['.png', 'png'], ['.webp', 'webp'], ['.jpg', 'jpeg'], ['.jpeg', 'jpeg']])

export async function paint (session: Session, words: string[], fields: Fields, out: string | undefined) {
  const wanted = readOut(session, fields, out)
  return askForPictures(session, jobs.paint.path, { ...wanted, ...(await readPrompt(session, words)) }, out)
}

export async function detokenize (session: Session, words: string[], fields: Fields, out: string | undefined) {
  const wanted = readOut(session, fields, out)
  return askForPictures(session, jobs.detokenize.path, { ...wanted, ...(await readCodes(session, words)) }, out)
}

/** Words beginning with @ are pictures of the prompt; `-` and no words at all stand for the text of stdin. */
export async function readPrompt (session: Session, words: string[]) {
  const texts = words.length === 0 ? ['-'] : words
  if (words.length === 0 && session.io.stdin.isTTY) throw wrongUsage('give a prompt, or pipe one in')
  if (texts.filter(word => word === '-' || word === '@-').length > 1) throw wrongUsage('stdin can be one part only')
  const parts = await Promise.all(texts.map(word => readPart(word, session)))
  const [first] = parts
  return { prompt: parts.length === 1 && first?.type === 'text' ? first.text : parts }
}

/** Tokens as numbers; `-` takes them from stdin, as numbers or as the JSON of /tokenize. */
export async function readCodes ({ io }: Session, words: string[]) {
  const isPiped = words.length === 0 || words.includes('-')
  if (isPiped && words.length > 1) throw wrongUsage('visual tokens are those of stdin or those given, not both')
  if (words.length === 0 && io.stdin.isTTY) throw wrongUsage('give visual tokens, or pipe them in')
  const text = isPiped ? (await readStdin(io)).toString('utf8') : words.join(' ')
  return { visual_tokens: readTokens(text) }
}

async function readPart (word: string, { io }: Session): Promise<Part> {
  if (word === '@') throw wrongUsage('@: the name of a picture comes right after it')
  return word.startsWith('@')
    ? { type: 'image', image: await readPicture(word.slice(1), io) }
    : { type: 'text', text: await readText(word, io) }
}

function readTokens (text: string): number[] {
  if (!text.trimStart().startsWith('{')) return parseTokens(text, 'visual tokens')
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw wrongUsage('stdin: one answer of lavit tokenize is expected, as JSON or as numbers')
  }
  return parseTokens(String(isObject(answer) ? answer.visual_tokens : ''), 'visual_tokens')
}

/** The fields, with the format that the file's name tells. Throws an Ending where it cannot be written. */
function readOut ({ settings }: Session, fields: Fields, out?: string): Fields {
  const { format, n = 1 } = fields
  if (out === '-' && settings.json) throw wrongUsage('--json and --out - both take stdout')
  if (out === '-' && Number(n) > 1) throw wrongUsage('--out - takes one picture')
  if (out !== '-' && (out !== undefined || !settings.json)) {
    const of = Math.min(Number(n), mostChecked)
    for (let i = 0; i < of; i++) checkOutFile('--out', nameOf({ out, i, of, seed: 0, type: '' }))
  }
  const suffix = extname(out ?? '').toLowerCase()
  if (format !== undefined || suffix.length < 2) return fields
  if (formats.has(suffix)) return { ...fields, format: formats.get(suffix) }
  throw wrongUsage(`--out: ${suffix} is none of ${[...formats.keys()].join(', ')}; --format takes any name`)
}

/** Writes each picture to a file and tells its name; the bytes themselves go to stdout where the file is `-`. */
async function askForPictures ({ settings, output, ask }: Session, path: string, body: Fields, out?: string) {
  output.progress('painting')
  const answer = await ask({
    path,
    body,
    ...(output.isLive && path === jobs.paint.path && { onEvent: (...event) => output.progress(tellEvent(...event)) })
  })
  output.clear()
  const { images } = answers.paint(answer.body)
  if (out === '-' && images.length > 1) throw wrongUsage('--out - takes one picture')
  if (settings.json) await output.line(answer.body.toString('utf8'))
  if (settings.json && out === undefined) return 0
  for (const [i, { data, media_type: type, seed }] of images.entries()) {
    const bytes = Buffer.from(data, 'base64')
    if (out === '-') {
      await output.bytes(bytes)
      continue
    }
    const file = nameOf({ out, i, of: images.length, seed, type })
    await writeOutFile('--out', file, bytes)
    if (!settings.json) await output.line(file)
  }
  return 0
}

function tellEvent (name: string, { position, count, step, of }: Fields) {
  switch (name) {
    case 'queued':
      return `${position} before it`
    case 'token':
      return `${count} visual tokens`
    case 'step':
      return `step ${step} of ${of}`
    default:
      return 'painting'
  }
}

/** The file given, numbered where there are several; `lavit-SEED.png` where none is given. */
function nameOf ({ out, i, of, seed, type }: Place) {
  if (out === undefined) return `lavit-${seed}.${type.split('/')[1]}`
  if (of === 1) return out
  const { dir, name, ext } = parse(out)
  return format({ dir, name: `${name}-${i + 1}`, ext })
}
