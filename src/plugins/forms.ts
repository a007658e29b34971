/** Multipart forms: their parts in the order they came, each held to its limit as it arrives. */
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { ServerError, invalidField, tooManyBytes } from '../errors.ts'
import type { Field } from './fields.ts'
import { watchBody } from './intake.ts'
import { watchHeads } from './part-heads.ts'
import { JsonFault, escapeName, parseJson } from '../codecs/json.ts'
import { bytesOfBase64 } from '../tasks/base64.ts'

export const mostParts = 64
const mostTextBytes = 1_048_576 // of a field that is no picture

export type FormLimits = { maxImageBytes: number; bodyLimit: number }

/**
 * Throws `invalid_request` for a form that is broken or cut off, `invalid_field` for a part that cannot be what it
 * says.
 */
export async function readForm (request: FastifyRequest, limits: FormLimits): Promise<Field[]> {
  const { fields: schema, upload, isOpen = false } = request.routeOptions.config
  const names = new Set(['image', ...Object.keys(schema?.properties ?? {})])
  const watch = watchBody(request, limits.bodyLimit)
  const heads = watchHeads(request.headers['content-type'], mostParts)
  request.raw.on('data', heads.see)
  try {
    return await Promise.race([readParts(), watch.failed])
  } catch (error) {
    throw explainForm(error, heads.names())
  } finally {
    request.raw.off('data', heads.see) // the rest of what was refused still flows
  }

  async function readParts () {
    const fields: Field[] = []
    let usual = 'utf-8'
    for await (const part of request.parts()) {
      if (part.type !== 'file') continue // every part is read as its bytes
      if (upload?.pictures === 'images' && part.fieldname === 'image[]') part.fieldname = 'image'
      const { fieldname: name } = part
      const bytes = await collect(part, watch, limits)
      if (name === '_charset_') usual = bytes.toString('latin1').trim() || usual
      else fields.push(readPart(part, bytes, names, isOpen, heads.take(name) ?? usual))
    }
    if (heads.hasStray()) throw strayPart()
    return fields
  }
}

/** Bytes that base64 takes for so many of a file, with line ends and slashes escaped. */
export function base64Limit (bytes: number) {
  return Math.ceil(bytes * 1.4) + 1024
}

/** The bytes of a part. A picture may come as base64, which is longer than its file. */
async function collect (
  { fieldname: name, file }: MultipartFile,
  watch: { fault?: unknown },
  { maxImageBytes }: FormLimits
): Promise<Buffer> {
  const isPicture = name === 'image'
  const limit = isPicture ? base64Limit(maxImageBytes) : mostTextBytes
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of file) {
    bytes += chunk.length
    if (watch.fault !== undefined) throw watch.fault
    if (bytes > limit) {
      throw isPicture
        ? tooManyBytes('The picture', maxImageBytes)
        : tooManyBytes(`The field ${name} of the form`, limit)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** An empty part without a file name is what HTML forms send of a field that was left out. */
function readPart (
  { fieldname: name, filename, mimetype, encoding }: MultipartFile,
  bytes: Buffer,
  names: Set<string>,
  isOpen: boolean,
  charset: string
): Field {
  if (typeof name !== 'string') throw new ServerError('invalid_request', 'A part of the form has no name')
  if (bytes.length === 0 && !filename) return { name, text: '' }
  const pointer = `/${escapeName(name)}`
  if (/^application\/json$/i.test(mimetype)) return { name, value: readJson(bytes, pointer) }
  if (name === 'image') return readPicture(bytes, pointer, Boolean(filename))
  const isRead = names.has(name) && name !== 'mask'
  if (isOpen && filename && !isRead) return { name, text: filename } // of other files it is told that they came
  if (!names.has(name)) return { name, value: null } // unknown, whatever it holds
  if (mimetype !== 'text/plain') {
    throw invalidField(
      pointer,
      `must be text (text/plain) or JSON (application/json), not ${mimetype.slice(0, 100)}; only image takes a file`
    )
  }
  if (!['7bit', '8bit', 'binary'].includes(encoding)) {
    throw invalidField(pointer, 'must come as it is, without Content-Transfer-Encoding')
  }
  return { name, text: readText(bytes, pointer, charset) }
}

function readJson (bytes: Buffer, pointer: string): unknown {
  try {
    return parseJson(bytes)
  } catch (error) {
    if (error instanceof JsonFault) throw invalidField(pointer + (error.pointer ?? ''), error.message)
    throw error
  }
}

/**
 * A picture's file, or its base64 or URL as text, told by the content: parts are typed in many ways. Of a part with a
 * file name, words that are no base64 are a file that is no picture.
 */
function readPicture (bytes: Buffer, pointer: string, isNamed: boolean): Field {
  if (bytes.length === 0) throw invalidField(pointer, 'is an empty file')
  const start = bytes.toString('latin1', 0, 4096).replace(/^\xef\xbb\xbf/, '')
  const isUrl =
    /^\s*data:[\t\r\n\x20-\x7e]*$/i.test(start) || /^\s*[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]*\s*$/i.test(start)
  const isText = isUrl || /^\s*[A-Za-z0-9+/_=-][A-Za-z0-9+/_=\s-]*$/.test(start)
  if (!isText) return { name: 'image', file: bytes }
  const text = bytes.toString('latin1')
  return isNamed && !isUrl ? { name: 'image', file: bytesOfBase64(text.trim()) ?? bytes } : { name: 'image', text }
}

/** ASCII is read as UTF-8, which holds it: some clients name it for whatever they send. */
function readText (bytes: Buffer, pointer: string, charset: string): string {
  const label = /^(us-)?ascii$/i.test(charset) ? 'utf-8' : charset
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch (error) {
    throw error instanceof RangeError
      ? invalidField(pointer, `is in a charset that the server does not know: ${charset.slice(0, 100)}; send UTF-8`)
      : invalidField(pointer, `is not valid ${label.toUpperCase()}`)
  }
}

/** Of what the library passes over. */
export function strayPart () {
  return new ServerError('invalid_request', 'A part of the form has no Content-Disposition: form-data')
}

/** What the library refuses, in our words; names are those of the parts. */
export function explainForm (error: unknown, names: string[]) {
  if (error instanceof ServerError || !(error instanceof Error)) return error
  switch ('code' in error ? error.code : undefined) {
    case 'FST_PARTS_LIMIT':
    case 'FST_FILES_LIMIT':
      return new ServerError('too_large', `The form has more than ${mostParts} parts`)
    case 'FST_PROTO_VIOLATION': {
      const name = names.find(name => name in Object.prototype) ?? ''
      return invalidField(`/${escapeName(name)}`, 'is not a field of this request')
    }
    case 'FST_MP_PREMATURE_CLOSE':
      return new ServerError('request_cancelled', 'The body ended early')
  }
  if (/boundary not found/i.test(error.message)) {
    return new ServerError('invalid_request', 'The form has no boundary in its Content-Type')
  }
  if (/unexpected end|terminated early/i.test(error.message)) {
    return new ServerError('invalid_request', 'The form ends too early: it may have been cut off')
  }
  return new ServerError('invalid_request', 'The form is not valid multipart')
}
