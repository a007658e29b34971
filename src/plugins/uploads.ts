/**
 * Bodies: JSON, raw pictures and multipart forms become the same body, with the options of the query, before it is
 * checked.
 */
import type { IncomingMessage } from 'node:http'
import multipart from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ServerError, invalidField, tooManyBytes } from '../errors.ts'
import { checkCodings } from './codings.ts'
import { checkQuery, gather, queryFields, refuseFields } from './fields.ts'
import { base64Limit, mostParts, readForm } from './forms.ts'
import { JsonFault, parseJson } from '../codecs/json.ts'
import { release } from '../codecs/release.ts'
import { decodeBase64 } from '../tasks/base64.ts'
import { uploadedImage } from '../tasks/uploads.ts'
import { readWhole } from './whole-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes that the body may have. */
    bodyLimit: number
  }
}

export type UploadLimits = { maxImageBytes: number; maxUploadBytes: number; imageFormats: readonly string[] }

const mediaType = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/
const optionBytes = 1_048_576 // what a body may hold beside its pictures
const pictureTexts = { names: ['image', 'url'], longerThan: 65_536 } // of JSON

/** Bytes of a whole body, in JSON and in forms: all pictures in base64, and the options. */
export function bodyLimitOf ({ maxUploadBytes }: Pick<UploadLimits, 'maxUploadBytes'>) {
  return base64Limit(maxUploadBytes) + optionBytes
}

export default fp<UploadLimits>(
  async (app, { maxImageBytes, maxUploadBytes, imageFormats }) => {
    const bodyLimit = bodyLimitOf({ maxUploadBytes })
    const pictureTypes = imageFormats.map(format => (format === 'svg' ? 'image/svg+xml' : `image/${format}`))

    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', async (request: FastifyRequest, source: IncomingMessage) => {
      if (request.is404) return
      const body = await readWhole(request, source, bodyLimit)
      const { value, texts } = readJson(request, body)
      for (const text of texts) request.job.uploads.push((await decodeBase64(text)) ?? asText(text))
      release(body)
      return value
    })
    app.addContentTypeParser(/^image\//, async (request: FastifyRequest, source: IncomingMessage) =>
      request.is404 ? undefined : await readWhole(request, source, maxImageBytes)
    )
    await app.register(multipart, {
      throwFileSizeLimit: false,
      isPartAFile: () => true,
      limits: { fileSize: bodyLimit, files: mostParts, parts: mostParts, fieldNameSize: 100, headerPairs: 50 }
    })
    app.addContentTypeParser('*', async (request: FastifyRequest) => {
      if (!request.is404 && !isEmpty(request)) throw unsupportedType(request)
    })

    app.decorateRequest('bodyLimit', bodyLimit)

    app.addHook('onRequest', async request => {
      if (request.is404) return
      checkQuery(request)
      checkCodings(request)
      const { streamedBytes } = request.routeOptions.config
      const { 'content-type': type, 'content-length': length } = request.headers
      if (streamedBytes !== undefined) {
        request.bodyLimit = streamedBytes
        if (!/^\s*multipart\/form-data\s*(;|$)/i.test(type ?? '')) throw unsupportedType(request)
      }
      if (request.method === 'POST' && type !== undefined && !mediaType.test(type)) throw unsupportedType(request)
      if (/^\s*image\//i.test(type ?? '')) request.bodyLimit = maxImageBytes
      const bytes = Number(length)
      if (bytes > request.bodyLimit) {
        throw tooManyBytes(request.bodyLimit === maxImageBytes ? 'The picture' : 'The body', request.bodyLimit, bytes)
      }
      if (!isEmpty(request) && !isRead(request)) throw unsupportedType(request)
    })

    app.addHook('preValidation', async request => {
      if (request.is404) return
      const { job, upload, fields, isOpen, streamedBytes } = request.routeOptions.config
      const { body } = request
      const isRaw = Buffer.isBuffer(body)
      if (streamedBytes !== undefined) return
      if (!takesJson(request)) {
        if (isEmpty(request)) request.body = undefined // whatever type it is said to have
        else if (isRaw || request.isMultipart()) throw unsupportedType(request)
        if (request.method === 'POST' && !isOpen) refuseFields(request)
        return
      }
      if ((isRaw || request.isMultipart()) && !upload) throw unsupportedType(request)
      if (isRaw && body.length === 0) {
        throw new ServerError('invalid_request', 'The body is empty where a picture is expected')
      }
      const hasOptions = job && queryFields(request).length > 0
      if (body === undefined && !request.isMultipart() && !hasOptions) {
        throw new ServerError('invalid_request', 'The request has no body')
      }
      if (!job) return
      if (isRaw) {
        request.body = gather(request, { fields: [{ name: 'image', file: body }] })
      } else if (request.isMultipart()) {
        request.body = gather(request, { fields: await readForm(request, { maxImageBytes, bodyLimit }) })
      } else if (body === undefined) {
        request.body = gather(request, {})
      } else if (isObject(body) && fields) {
        request.body = gather(request, { json: isOpen ? withoutNulls(body) : body })
      }
    })

    /** A refusal that says which types the route reads. */
    function unsupportedType (request: FastifyRequest) {
      const { upload, streamedBytes } = request.routeOptions.config
      const types = [
        ...(takesJson(request) ? ['application/json'] : []),
        ...(upload || streamedBytes !== undefined ? ['multipart/form-data'] : []),
        ...(upload ? pictureTypes : [])
      ]
      const sent = request.headers['content-type']
      const subject =
        sent === undefined ? 'The body has no Content-Type' : `The body is ${JSON.stringify(sent.slice(0, 100))}`
      const list = types.join(', ')
      if (list === '') return new ServerError('unsupported_media_type', `${subject}, and the route reads none`)
      return new ServerError('unsupported_media_type', `${subject}; the route reads ${list}`, {
        headers: { 'accept-post': list, accept: list }
      })
    }
  },
  { name: 'uploads', dependencies: ['jobs', 'validation'] }
)

function takesJson ({ routeOptions: { config, schema } }: FastifyRequest) {
  return config.job === true || (schema?.body !== undefined && config.streamedBytes === undefined)
}

/** Whether a body of this type is read at all, as far as the head tells. */
function isRead ({ method, headers, routeOptions: { config } }: FastifyRequest) {
  const type = headers['content-type'] ?? ''
  if (method === 'GET' || method === 'HEAD' || /^\s*application\/json\s*(;|$)/i.test(type)) return true
  const takesFiles = config.upload !== undefined || config.streamedBytes !== undefined
  return takesFiles && /^\s*(image\/|multipart\/form-data\s*(;|$))/i.test(type)
}

/**
 * The value, with marks in place of long pictures, and their texts. Clients that always name a type send it without a
 * body, too.
 */
function readJson (request: FastifyRequest, body: Buffer): { value?: unknown; texts: Buffer[] } {
  const { job } = request.routeOptions.config
  const texts: Buffer[] = []
  if (body.length === 0 && !job) return { texts }
  const take = (text: Buffer) => uploadedImage(texts.push(text) - 1)
  try {
    return { value: parseJson(body, job ? { ...pictureTexts, take } : undefined), texts }
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    if (error.pointer !== undefined) throw invalidField(error.pointer, error.message)
    throw new ServerError(error.isTooLarge ? 'too_large' : 'invalid_request', `The body ${error.message}`)
  }
}

/** What JSON does not allow within a text is refused here, since no parser saw it. */
function asText (bytes: Buffer): string {
  const text = bytes.toString('utf8')
  // eslint-disable-next-line no-control-regex
  if (/[\0-\x1f]/.test(text)) throw new ServerError('invalid_request', 'The body is not JSON')
  return text
}

function withoutNulls (fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

function isEmpty ({ headers }: FastifyRequest) {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
