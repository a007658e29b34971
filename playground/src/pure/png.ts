/** Texts inside PNG files: international text chunks (`iTXt`, PNG specification 11.3.3.4). */

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

type Chunk = { type: string; data: Uint8Array<ArrayBuffer>; start: number; end: number }

export function isPng (bytes: Uint8Array): boolean {
  return signature.every((byte, i) => bytes[i] === byte)
}

/** The text under a keyword; nothing where there is none, and where the file is no sound PNG. */
export function readText (bytes: Uint8Array<ArrayBuffer>, keyword: string): string | undefined {
  for (const { type, data } of chunksOf(bytes)) {
    if (type !== 'iTXt' || latin1(data.subarray(0, keyword.length)) !== keyword || data[keyword.length] !== 0) continue
    if (data[keyword.length + 1] !== 0) continue // compressed: not ours
    const afterLanguage = data.indexOf(0, keyword.length + 3)
    const start = data.indexOf(0, afterLanguage + 1) + 1
    if (afterLanguage < 0 || start === 0) continue
    return new TextDecoder().decode(data.subarray(start))
  }
  return undefined
}

/** The file with the text before its end, in place of an earlier one under the keyword. Throws for what is no PNG. */
export function writeText (bytes: Uint8Array<ArrayBuffer>, keyword: string, text: string): Uint8Array<ArrayBuffer> {
  const bare = removeText(bytes, keyword)
  const end = [...chunksOf(bare)].find(({ type }) => type === 'IEND')
  if (!end) throw new Error('no PNG file')
  const head = Uint8Array.from(`${keyword}\0\0\0\0\0`, character => character.charCodeAt(0))
  return concat(bare.subarray(0, end.start), chunk('iTXt', concat(head, new TextEncoder().encode(text))),
    bare.subarray(end.start))
}

/** The file without its texts under a keyword: the bytes that it had before. */
export function removeText (bytes: Uint8Array<ArrayBuffer>, keyword: string): Uint8Array<ArrayBuffer> {
  let rest = bytes
  for (const { type, data, start, end } of [...chunksOf(bytes)].reverse()) {
    if (type === 'iTXt' && latin1(data.subarray(0, keyword.length + 1)) === `${keyword}\0`) {
      rest = concat(rest.subarray(0, start), rest.subarray(end))
    }
  }
  return rest
}

function * chunksOf (bytes: Uint8Array<ArrayBuffer>): Generator<Chunk> {
  if (!isPng(bytes)) return
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = signature.length; start + 12 <= bytes.length;) {
    const end = start + 12 + view.getUint32(start)
    if (end > bytes.length) return
    yield { type: latin1(bytes.subarray(start + 4, start + 8)), data: bytes.subarray(start + 8, end - 4), start, end }
    start = end
  }
}

function chunk (type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = concat(Uint8Array.from(type, character => character.charCodeAt(0)), data)
  const whole = new Uint8Array(body.length + 8)
  const view = new DataView(whole.buffer)
  view.setUint32(0, data.length)
  whole.set(body, 4)
  view.setUint32(body.length + 4, crc(body))
  return whole
}

/** CRC-32 of the PNG specification, annex D. */
function crc (bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  }
  return (value ^ 0xffffffff) >>> 0
}

function concat (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function latin1 (bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
