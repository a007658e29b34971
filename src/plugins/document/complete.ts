/**
 * Adds to the routes' document what follows from their configuration: forms of pictures, answers, headers and errors.
 */
import type { FastifyContextConfig } from 'fastify'
import { errorCodes, errorTable, type ErrorCode } from '../../errors.ts'
import { addEvents } from './events.ts'
import { addForms, allowNulls, queryOptions } from './forms.ts'
import { headerRefs, headers, headersOfStatus, type HeaderName } from './headers.ts'
import { tellLimits, tellRequestLimits, type DocumentLimits } from './limits.ts'
import { namedSchema, objectsWithin, type Answer, type Document, type Operation, type Schema } from './shape.ts'

const everyRoute: ErrorCode[] = [
  'invalid_request',
  'method_not_allowed',
  'not_acceptable',
  'request_timeout',
  'expectation_failed',
  'headers_too_large',
  'internal_error',
  'draining'
]
const everyKey: ErrorCode[] = ['unauthorized', 'forbidden', 'rate_limited']
const everyBody: ErrorCode[] = ['too_large', 'unsupported_media_type']
const seenByNobody: ErrorCode[] = ['request_cancelled']
const most32Bits = 2 ** 31 - 1 // of a signed integer, which generators take for what `integer` means
const beforeRoutes = ['408', '417', '431'] // answered before there is a request to route

/** Completes the document in place. */
export function complete (
  document: Document,
  configs: Map<string, FastifyContextConfig>,
  limits: DocumentLimits
): void {
  document.servers = [{ url: '.', description: 'Where this document was read, below whatever path' }]
  document.components.headers = headers
  document.info.description += `\n\n${tellLimits(limits)}`
  tidySchemas(document)
  tellCodes(document)
  for (const methods of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const config = configs.get(operation.operationId ?? '') ?? {}
      addExamples(document, operation)
      if (operation.requestBody) completeRequest(document, operation, config, limits)
      completeAnswers(operation, config)
      addErrors(operation, codesOf(config, method))
      if (config.scope !== false) tellRates(operation)
    }
  }
}

/** What JSON Schema allows and generators stumble over. */
function tidySchemas (document: Document) {
  for (const schema of Object.values(document.components.schemas)) delete schema.$id
  for (const schema of objectsWithin([document.components.schemas, document.paths])) {
    if (Array.isArray(schema.enum) && schema.type === undefined) schema.type = 'string'
    if (schema.type === 'integer' && Number(schema.maximum) > most32Bits) schema.format = 'int64'
    if (schema.patternProperties) {
      const [values] = Object.values(schema.patternProperties)
      delete schema.patternProperties
      schema.additionalProperties = values
    }
    if (schema.discriminator && schema.oneOf) addMapping(document, schema, schema.discriminator, schema.oneOf)
  }
}

/** Which of the named schemas each value of the property stands for; they say themselves that it is required. */
function addMapping (
  document: Document,
  schema: Schema,
  discriminator: { propertyName: string; mapping?: Record<string, string> },
  parts: Schema[]
) {
  delete schema.type
  delete schema.required
  discriminator.mapping = Object.fromEntries(
    parts.map(part => {
      const property = namedSchema(document, part).properties?.[discriminator.propertyName]
      return [String(property?.const ?? property?.enum?.[0]), part.$ref ?? '']
    })
  )
}

/** The codes of today; clients are to take a new one by its status. */
function tellCodes (document: Document) {
  const told = errorCodes.filter(code => !seenByNobody.includes(code))
  const code = document.components.schemas.Problem?.properties?.code
  if (!code) throw new Error('the document has no Problem')
  const meanings = told.map(code => `- \`${code}\`: ${errorTable[code].when}`).join('\n')
  code.description += `; more may come, and one that is unknown means what its status means:\n\n${meanings}`
  code.examples = ['invalid_field', 'queue_full']
  code['x-extensible-enum'] = told
}

function addExamples (document: Document, { requestBody, responses }: Operation) {
  for (const media of [...Object.values(requestBody?.content ?? {}), responses[200]?.content?.['application/json']]) {
    if (!media) continue
    const { examples = [] } = namedSchema(document, media.schema)
    if (examples.length === 1) media.example = examples[0]
    else if (examples.length > 1) {
      media.examples = Object.fromEntries(examples.map((value, i) => [`example${i + 1}`, { value }]))
    }
  }
}

function completeRequest (
  document: Document,
  operation: Operation,
  { job, upload, isOpen }: FastifyContextConfig,
  limits: DocumentLimits
) {
  const { requestBody } = operation
  const json = requestBody?.content['application/json']
  if (!requestBody) return
  requestBody.required = true
  if (!json) return
  requestBody.description = tellRequestLimits(limits, upload?.pictures)
  const schema = namedSchema(document, json.schema)
  if (upload) addForms(requestBody.content, schema, upload.pictures, limits)
  if (!job) return
  operation.parameters = [...(operation.parameters ?? []), ...queryOptions(schema)]
  if (isOpen) allowNulls(schema)
}

function completeAnswers (
  operation: Operation,
  { job, isCheap, hasETag, events, produces = ['application/json'] }: FastifyContextConfig
) {
  for (const answer of Object.values(operation.responses)) addHeaders(answer, produces)
  const answer = operation.responses[200]
  if (answer && hasETag) {
    operation.responses[304] = {
      description: 'The client has these very bytes',
      headers: headerRefs('x-request-id', 'ETag')
    }
    answer.headers = { ...answer.headers, ...headerRefs('ETag') }
  }
  if (answer && job && !isCheap) {
    Object.assign(answer.headers ?? {}, headerRefs('x-queue-position', 'x-expected-start-ms'))
  }
  if (answer?.content && events) addEvents(answer.content, events)
  const pictures = produces.filter(type => type.startsWith('image/'))
  if (!answer?.content || pictures.length === 0) return
  for (const type of pictures) {
    answer.content[type] = { schema: { type: 'string', format: 'binary', description: 'The picture itself' } }
  }
  if (job) Object.assign(answer.headers ?? {}, headerRefs('x-seed'))
}

function addHeaders (answer: Answer, produces: string[], status = '200') {
  const names: HeaderName[] = beforeRoutes.includes(status)
    ? ['x-request-id']
    : ['x-request-id', 'Server-Timing', 'Cache-Control', ...(produces.length > 0 ? ['Vary' as const] : [])]
  answer.headers = { ...answer.headers, ...headerRefs(...names, ...(headersOfStatus[status] ?? [])) }
}

/** Any answer to a key may tell how much of its rate is left. */
function tellRates ({ responses }: Operation) {
  for (const [status, answer] of Object.entries(responses)) {
    if (beforeRoutes.includes(status)) continue
    answer.headers = { ...answer.headers, ...headerRefs('RateLimit-Policy', 'RateLimit') }
  }
}

function codesOf ({ errors = [], scope, whileDraining, produces }: FastifyContextConfig, method: string): ErrorCode[] {
  const told = new Set<ErrorCode>([
    ...everyRoute,
    ...(scope === false ? [] : everyKey),
    ...(method === 'post' || method === 'delete' ? everyBody : []),
    ...errors
  ])
  if (whileDraining) told.delete('draining')
  if (produces?.length === 0) told.delete('not_acceptable')
  return errorCodes.filter(code => told.has(code))
}

/** One response for each status, naming the codes that it may carry. */
function addErrors (operation: Operation, codes: ErrorCode[]) {
  for (const code of codes) {
    const { status, when } = errorTable[code]
    const line = `\`${code}\`: ${when}.`
    const known = operation.responses[status]
    if (known) {
      known.description += `\n\n${line}`
      continue
    }
    const answer: Answer = {
      description: line,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
    }
    addHeaders(answer, ['application/problem+json'], String(status))
    operation.responses[status] = answer
  }
}
