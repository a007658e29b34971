/** JSON as a request may hold it, and in words why something is none. */
import { isUtf8 } from 'node:buffer'

const deepest = 64
const mostOutsideTexts = 524_288 // bytes: what has many small values takes long to read

/** Why bytes are no JSON that is read here; the message goes on from the name of what holds them. */
export class JsonFault extends Error {
  /** For the one fault that lies in a field: its JSON pointer. */
  readonly pointer: string | undefined
  readonly isTooLarge: boolean

  constructor (message: string, { pointer, isTooLarge = false }: { pointer?: string; isTooLarge?: boolean } = {}) {
    super(message)
    this.pointer = pointer
    this.isTooLarge = isTooLarge
  }
}

/**
 * Long texts that are not to become strings: `take` hears the bytes of those of more than `longerThan` bytes without
 * escapes, of fields called one of `names`, and gives what stands in their place.
 */
export type Taken = { names: string[]; longerThan: number; take: (text: Buffer) => string }

/** The value of UTF-8 JSON. Throws a JsonFault, before anything is built that is too deep, too much or told twice. */
export function parseJson (bytes: Buffer, taken?: Taken): unknown {
  const text = withoutMark(bytes)
  if (isWide(text)) throw new JsonFault('is UTF-16 or UTF-32; JSON is sent as UTF-8')
  if (!isUtf8(text)) throw new JsonFault('is not valid UTF-8')
  const long: Span[] = []
  const { isBlank, isCutOff } = scan(text, (name, span) => {
    if (taken && span.to - span.from > taken.longerThan && taken.names.includes(name) && !hasEscape(text, span)) {
      long.push(span)
    }
  })
  if (isBlank) throw new JsonFault('is empty where JSON is expected')
  const source = taken ? without(long, text, taken) : text.toString('utf8')
  try {
    return JSON.parse(source)
  } catch (error) {
    if (isCutOff) throw new JsonFault('is JSON that ends too early: it may have been cut off')
    throw new JsonFault(`is not JSON${long.length === 0 ? placeOf(error, source) : ''}`)
  }
}

/** A byte order mark may stand before JSON and means nothing. */
function withoutMark (bytes: Buffer) {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

function isWide (bytes: Buffer) {
  const [first, second] = bytes
  return (first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe) || bytes.subarray(0, 4).includes(0)
}

/** The JSON parser of Node says where it stopped in most cases. */
function placeOf (error: unknown, source: string) {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
  if (position === undefined) return ''
  const character = source[Number(position)]
  return character === undefined ? '' : `: unexpected ${JSON.stringify(character)} at character ${Number(position) + 1}`
}

/** From the first byte of a text to behind its last. */
type Span = { from: number; to: number }

function hasEscape (bytes: Buffer, { from, to }: Span): boolean {
  const at = bytes.indexOf(0x5c, from)
  return at !== -1 && at < to
}

function without (spans: Span[], bytes: Buffer, { take }: Taken): string {
  let source = ''
  let done = 0
  for (const { from, to } of spans) {
    source += bytes.toString('utf8', done, from) + take(bytes.subarray(from, to))
    done = to
  }
  return source + bytes.toString('utf8', done)
}

/** An array or object that is open, and how the value that comes next in it is called. */
type Level = { names?: Set<string>; isName: boolean; next: string | number }

/** Reads the outline alone, jumping over texts; `onText` hears those that are values, and how they are called. */
function scan (bytes: Buffer, onText: (name: string, span: Span) => void) {
  const levels: Level[] = []
  let outside = 0
  let isBlank = true
  for (let i = 0; i < bytes.length; i++) {
    if (++outside > mostOutsideTexts) {
      throw new JsonFault(`has more than ${mostOutsideTexts} bytes of JSON outside of texts`, { isTooLarge: true })
    }
    const byte = bytes[i]
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
    isBlank = false
    const level = levels.at(-1)
    switch (byte) {
      case 0x22: {
        // "
        const end = endOfText(bytes, i)
        if (end === -1) return { isBlank, isCutOff: true }
        if (level?.names && level.isName) enterName(levels, level, level.names, bytes.toString('utf8', i, end + 1))
        else if (level) onText(String(level.next), { from: i + 1, to: end })
        i = end
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        if (levels.length === deepest) throw new JsonFault(`is JSON nested deeper than ${deepest} levels`)
        levels.push(byte === 0x7b ? { names: new Set(), isName: true, next: '' } : { isName: false, next: 0 })
        break
      case 0x7d: // }
      case 0x5d: // ]
        if (levels.pop() === undefined) return { isBlank, isCutOff: false }
        break
      case 0x2c: // ,
        if (level?.names) level.isName = true
        else if (level) level.next = Number(level.next) + 1
    }
  }
  return { isBlank, isCutOff: levels.length > 0 }
}

/** The place of the quote that ends the text begun at `start`, or -1. */
function endOfText (bytes: Buffer, start: number): number {
  for (let end = bytes.indexOf(0x22, start + 1); end !== -1; end = bytes.indexOf(0x22, end + 1)) {
    let backslashes = 0
    while (bytes[end - 1 - backslashes] === 0x5c) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return -1
}

function enterName (levels: Level[], level: Level, names: Set<string>, quoted: string) {
  const name = unquote(quoted)
  level.isName = false
  level.next = name
  const pointer = levels.map(({ next }) => `/${escapeName(String(next))}`).join('')
  if (names.has(name)) throw new JsonFault('is given more than once', { pointer })
  names.add(name)
}

function unquote (quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted // what is no text is told when all of it is parsed
  }
}

/** A name in a JSON pointer (RFC 6901); cut, since it is the client's. */
export function escapeName (name: string) {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}
