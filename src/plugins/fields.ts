/** Fields of forms and of the query, gathered into the body that a JSON request would have had. */
import type { FastifyRequest } from 'fastify'
import { ServerError, invalidField } from '../errors.ts'
import { escapeName } from '../codecs/json.ts'
import { uploadedImage } from '../tasks/uploads.ts'
import { wrongFields } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The schema of the body: it tells how to read the texts of forms and of the query. */
    fields?: Properties
    /** Takes pictures as files: as the field `image`, as a list of them, or as parts of the list `prompt`. */
    upload?: { pictures: 'image' | 'images' | 'prompt' }
  }
}

export type Properties = { properties: Record<string, object> }

/** A field as it came: a text to be read by the schema, a picture's file, or a value whose type was told. */
export type Field =
  { name: string; text: string } | { name: string; file: Uint8Array } | { name: string; value: unknown }

export function queryFields ({ query }: FastifyRequest): Field[] {
  return Object.entries(query ?? {}).flatMap(([name, texts]) =>
    [texts].flat().map(text => ({ name, text: String(text) }))
  )
}

/** Throws `invalid_request` for an escape that is none: it would be read as another text. */
export function checkQuery ({ url }: FastifyRequest): void {
  const query = url.slice(url.indexOf('?') + 1)
  if (query === url) return
  try {
    decodeURIComponent(query)
  } catch {
    throw new ServerError(
      'invalid_request',
      'The query cannot be read: after each % it needs two hexadecimal digits, which together are UTF-8'
    )
  }
}

/**
 * One body of what the body held and of the options in the query. Files go to the job's uploads and leave a mark in
 * their place. A known field with an empty text is not given. Throws `invalid_field` for a field that is given twice.
 */
export function gather (request: FastifyRequest, sent: { json?: object; fields?: Field[] }): Record<string, unknown> {
  const { fields: schema, upload } = request.routeOptions.config
  const isKnown = (name: string) => name === 'image' || Object.hasOwn(schema?.properties ?? {}, name)
  const isGiven = (field: Field) => !('text' in field) || field.text !== '' || !isKnown(field.name)
  const fields = (sent.fields ?? []).filter(isGiven)
  const query = queryFields(request).filter(isGiven)
  const body: Record<string, unknown> = Object.assign(Object.create(null), sent.json)
  const names = new Set([...Object.keys(body), ...fields.map(({ name }) => name)])
  for (const { name } of query) {
    if (names.has(name)) {
      throw invalidField(`/${escapeName(name)}`, 'is given both in the body and in the query')
    }
    if (name === 'prompt' && query.filter(other => other.name === name).length > 1) {
      throw invalidField('/prompt', 'is given more than once')
    }
  }

  const parts: unknown[] = []
  const images: unknown[] = []
  const hasParts = upload?.pictures === 'prompt' && !('prompt' in body)
  for (const field of [...fields, ...query]) {
    const { name } = field
    const property = schema?.properties[name]
    const value = valueOf(request, field, property)
    if (hasParts && name === 'image') parts.push({ type: 'image', image: value })
    else if (hasParts && name === 'prompt') parts.push(...partsOf(value))
    else if (upload?.pictures === 'images' && name === 'image') images.push(value)
    else if (!(name in body)) body[name] = value
    else if (isList(property)) body[name] = [body[name], value].flat()
    else throw invalidField(`/${escapeName(name)}`, 'is given more than once')
  }
  if (parts.length > 0) body.prompt = parts
  if (images.length > 0) body.image = images.length > 1 ? images : images[0]
  return body
}

/** Throws `invalid_field` for every field of a route that has none. */
export function refuseFields (request: FastifyRequest): void {
  const { body = {} } = request
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ServerError('invalid_field', 'The body must be an object')
  }
  const names = new Set([...Object.keys(body), ...queryFields(request).map(({ name }) => name)])
  const message = 'is not a field of this request, which has none'
  if (names.size > 0) throw wrongFields([...names].map(name => ({ pointer: `/${escapeName(name)}`, message })))
}

function valueOf ({ job }: FastifyRequest, field: Field, property: object | undefined): unknown {
  if ('file' in field) return uploadedImage(job.uploads.push(field.file) - 1)
  return 'text' in field ? fromText(field.text, property) : field.value
}

/** A text is a part of the prompt; a list, where the type of the field was told as JSON, is its parts. */
function partsOf (value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return [typeof value === 'string' ? { type: 'text', text: value } : value]
}

/** Text as the type that the schema asks for; text that does not fit stays, for the check to refuse. */
function fromText (text: string, schema: object = {}): unknown {
  const type = 'type' in schema ? schema.type : undefined
  if (isList(schema)) return listOf(text)
  if (type === 'integer' || type === 'number') return numberOf(text)
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

function isList (schema: object | undefined) {
  return schema !== undefined && '$ref' in schema && schema.$ref === 'VisualTokens'
}

/** `17,902` and `[17, 902]` alike. */
function listOf (text: string): unknown[] {
  return text
    .trim()
    .replace(/^\[(.*)\]$/s, '$1')
    .split(',')
    .map(item => numberOf(item.trim()))
}

function numberOf (text: string): number | string {
  return /^-?(\d{1,20}(\.\d{1,99})?|\.\d{1,99})(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : text
}
