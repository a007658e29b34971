/** Pictures in texts: data URLs and base64 become bytes, or a typed error. */
import { setImmediate } from 'node:timers/promises'
import { release } from '../codecs/release.ts'
import { invalidField } from '../errors.ts'
import { looksLikeUrl } from '../fetching/url.ts'

/** The file in a data URL or in plain base64, of either alphabet, in lines or not, padded or not. */
export function bytesOfText (image: string, pointer: string): Uint8Array {
  const text = image.trim() // a byte order mark goes, too
  if (looksLikeUrl(text)) {
    throw invalidField(pointer, 'is a URL, and fetching pictures is switched off; send the picture itself')
  }
  const bytes = bytesOfBase64(/^data:/i.test(text) ? payloadOf(text, pointer) : text)
  if (bytes === undefined) throw invalidField(pointer, 'is neither a base64 data URL nor base64 text')
  return bytes
}

/** What follows the comma of a data URL (RFC 2397). */
function payloadOf (url: string, pointer: string): string {
  const comma = url.indexOf(',')
  if (comma === -1) throw invalidField(pointer, 'is a data URL that ends before its comma')
  if (!/;\s*base64\s*$/i.test(url.slice(0, Math.min(comma, 1000)))) {
    throw invalidField(pointer, 'is a data URL without `;base64` before its comma')
  }
  const payload = url.slice(comma + 1)
  return payload.includes('%') ? unescaped(payload) : payload
}

function unescaped (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Nothing for text that is not base64. */
export function bytesOfBase64 (text: string): Uint8Array | undefined {
  if (Buffer.byteLength(text) !== text.length) return undefined // has characters that are not ASCII
  const decoded = Buffer.from(text, 'base64') // leaves out what it cannot read, so that too few bytes come out
  if (isWhole(text, decoded)) return decoded
  const joined = withoutSpace(text)
  return isWhole(joined, decoded) ? decoded : undefined
}

function isWhole (text: string, { length }: Uint8Array) {
  const characters = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
  return length > 0 && characters % 4 !== 1 && length === Math.floor((characters * 3) / 4)
}

/** Base64 often comes in lines. A copy, byte by byte: a regular expression takes long where there is much space. */
function withoutSpace (text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  let kept = 0
  for (const byte of bytes) if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) bytes[kept++] = byte
  return bytes.toString('latin1', 0, kept)
}

const chunkCharacters = 2 ** 20 // of base64, a multiple of 4: what is decoded before others have their turn

/**
 * The bytes of a long text that is a data URL or base64 without space, as `bytesOfText` reads it, in pieces between
 * which the event loop goes on. Nothing for other texts.
 */
export async function decodeBase64 (text: Uint8Array): Promise<Uint8Array | undefined> {
  const characters = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
  const head = /^data:[\w/+.-]{0,100};base64,/i.exec(characters.toString('latin1', 0, 120))?.[0] ?? ''
  const payload = characters.subarray(head.length)
  const chunks: Buffer[] = []
  for (let at = 0; at < payload.length; at += chunkCharacters) {
    const chunk = payload.toString('latin1', at, Math.min(at + chunkCharacters, payload.length))
    const decoded = Buffer.from(chunk, 'base64')
    if (!isWhole(chunk, decoded) || (chunk.endsWith('=') && at + chunkCharacters < payload.length)) return
    chunks.push(decoded)
    await setImmediate()
  }
  const bytes = Buffer.concat(chunks)
  chunks.forEach(release)
  return bytes
}
