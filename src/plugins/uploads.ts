/** Pictures as raw bodies and multipart forms: gathered into the same body that a JSON request has, before it is checked. */
import multipart, { type Multipart } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServerError, invalidField } from '../errors.ts'
import { uploadedImage } from '../tasks/picture.ts'
import { refuseQuery } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes pictures as files: as the field `image`, or as parts of the list `prompt`. Its schema tells how to read text fields. */
    upload?: { schema: Properties, pictures: 'image' | 'prompt' }
  }
}

type Properties = { properties: Record<string, object> }
type Field = [name: string, value: string | Buffer]

export default fp<{ maxImageBytes: number }>(async (app, { maxImageBytes }) => {
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser(/^image\//, { parseAs: 'buffer', bodyLimit: maxImageBytes }, (_request, body, done) => done(null, body))
  await app.register(multipart, {
    throwFileSizeLimit: true,
    limits: { fileSize: maxImageBytes, files: 16, fields: 40, parts: 50, fieldSize: 1_048_576, fieldNameSize: 100, headerPairs: 50 }
  })

  app.addHook('onRequest', async request => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') throw new ServerError('unsupported_media_type', 'The body must not be compressed')
  })

  app.addHook('preValidation', async request => {
    const { upload, job } = request.routeOptions.config
    if (!job) return
    const isRaw = Buffer.isBuffer(request.body)
    if (!isRaw && !request.isMultipart()) return refuseQuery(request)
    if (!upload) throw new ServerError('unsupported_media_type', 'The route reads application/json only')
    const fields = isRaw ? readRaw(request, request.body as Buffer) : await readForm(request)
    request.body = gather(request, fields, upload)
  })
}, { name: 'uploads', dependencies: ['jobs', 'validation'] })

/** The picture first, then the options of the query. */
function readRaw (request: FastifyRequest, picture: Buffer): Field[] {
  const options = Object.entries(request.query as Record<string, string | string[]>)
    .flatMap(([name, values]) => [values].flat().map((value): Field => [name, value]))
  return [...(picture.length > 0 ? [['image', picture] as Field] : []), ...options]
}

/** The parts of a form in the order they came. Throws `invalid_request` for one that is broken or cut off. */
async function readForm (request: FastifyRequest): Promise<Field[]> {
  refuseQuery(request)
  const fields: Field[] = []
  try {
    for await (const part of request.parts()) fields.push([part.fieldname, await readPart(part)])
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error) throw error
    throw new ServerError('invalid_request', 'The form is not valid multipart')
  }
  return fields
}

async function readPart (part: Multipart): Promise<string | Buffer> {
  if (part.type === 'file') return await part.toBuffer()
  if (part.valueTruncated || part.fieldnameTruncated) throw new ServerError('too_large', 'A field of the form is over the limit')
  return String(part.value)
}

/** One body of all fields; files go to the job's uploads and leave a mark in their place. */
function gather (request: FastifyRequest, fields: Field[], { schema, pictures }: { schema: Properties, pictures: 'image' | 'prompt' }) {
  const { uploads } = request.job
  const body: Record<string, unknown> = Object.create(null)
  const parts: object[] = []
  for (const [name, value] of fields) {
    if (name !== 'image' && typeof value !== 'string') throw invalidField(`/${name}`, 'must be text: only image takes a file')
    const read = typeof value === 'string' ? value : uploadedImage(uploads.push(value) - 1)
    if (pictures === 'prompt' && name === 'image') parts.push({ type: 'image', image: read })
    else if (pictures === 'prompt' && name === 'prompt') parts.push({ type: 'text', text: read })
    else if (name in body) throw invalidField(`/${name}`, 'is given more than once')
    else body[name] = name === 'image' ? read : fromText(read, schema.properties[name])
  }
  if (parts.length > 0) body.prompt = parts
  return body
}

/** Text as the type that the schema asks for; text that does not fit stays, for the check to refuse. */
function fromText (text: string, schema: object = {}): unknown {
  const type = 'type' in schema ? schema.type : undefined
  if (type === 'integer' || type === 'number') return /^-?\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}
