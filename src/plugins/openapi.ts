/** The OpenAPI document and its page: what the routes declare, plus forms of pictures, answers and errors that many of them share. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyContextConfig } from 'fastify'
import fp from 'fastify-plugin'
import { errorCodes, errorTable, type ErrorCode } from '../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route can answer besides the errors of every route. */
    errors?: ErrorCode[]
  }
}

type Schema = Record<string, unknown> & { examples?: unknown[], properties?: Record<string, Schema>, required?: string[], $ref?: string }
type Media = Record<string, { schema: Schema, example?: unknown }>
type Operation = {
  operationId?: string
  parameters?: object[]
  requestBody?: { required: boolean, content: Media }
  responses: Record<string, { description: string, content?: Media, headers?: object }>
}
type Document = { paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, Schema> } }

const everyRoute: ErrorCode[] = ['not_acceptable', 'internal_error', 'draining']
const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif']
const binary = { type: 'string', format: 'binary' }

export default fp<{ version: string }>(async (app, { version }) => {
  const configs = new Map<string, FastifyContextConfig>()
  app.addHook('onRoute', ({ schema, config = {} }) => {
    const id = (schema as { operationId?: string } | undefined)?.operationId
    if (id) configs.set(id, config as FastifyContextConfig)
  })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'LaVIT Server',
        version,
        description: 'One model that turns a picture into a variable number of visual tokens and reads and writes them beside words. The embedded model, `lavit-mini`, knows a closed world, pictograms on coloured grounds; about anything else, a photograph too, it answers with the same confidence, and wrongly. Errors are problem documents (RFC 9457). Every answer carries `x-request-id` and `Server-Timing`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'jobs', description: 'What the model does' },
        { name: 'models', description: 'Which models there are' },
        { name: 'operations', description: 'For those who run the server' }
      ],
      components: { securitySchemes: { adminKey: { type: 'http', scheme: 'bearer' } } }
    },
    hideUntagged: true,
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => typeof json.$id === 'string' ? json.$id : `def-${index}` },
    transformObject: part => complete((part as unknown as { openapiObject: Document }).openapiObject, configs) as never
  })

  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { url: '/openapi.json', validatorUrl: null } as object
  })

  app.get('/openapi.json', {
    schema: {
      operationId: 'getOpenapi',
      tags: ['operations'],
      summary: 'This document',
      description: 'The contract in OpenAPI 3.1; `/docs` shows it as a page.',
      response: { 200: { type: 'object', additionalProperties: true, description: 'The document' } }
    }
  }, async (_request, reply) => reply.type('application/json').send(JSON.stringify(app.swagger())))
}, { name: 'openapi' })

/** Adds to the operations what follows from their route's configuration. */
function complete (document: Document, configs: Map<string, FastifyContextConfig>): Document {
  const { schemas } = document.components
  schemas.Problem!.properties!.code!.enum = errorCodes
  for (const schema of Object.values(schemas)) delete schema.$id
  for (const operation of Object.values(document.paths).flatMap(path => Object.values(path))) {
    const { upload, produces, errors = [], whileDraining } = configs.get(operation.operationId ?? '') ?? {}
    const answer = operation.responses[200]!
    const request = operation.requestBody?.content['application/json']
    if (request) operation.requestBody!.required = true
    if (request && upload) addUploads(operation, namedSchema(schemas, request.schema), upload.pictures)
    for (const type of (produces ?? []).filter(type => type.startsWith('image/'))) answer.content![type] = { schema: binary }
    for (const media of [request, answer.content?.['application/json']]) {
      const example = media && namedSchema(schemas, media.schema).examples?.[0]
      if (example) media.example = example
    }
    if (answer.description === 'Default Response') answer.description = 'Done'
    addHeaders(answer)
    const told = new Set([...everyRoute, ...errors])
    if (whileDraining) told.delete('draining')
    if (produces?.length === 0) told.delete('not_acceptable')
    addErrors(operation, errorCodes.filter(code => told.has(code)))
  }
  return document
}

/** The same request as a form, and as a picture whose options stand in the query. */
function addUploads (operation: Operation, { properties = {}, required = [] }: Schema, pictures: 'image' | 'prompt') {
  const { content } = operation.requestBody!
  const { image, prompt, visual_tokens: visualTokens, ...options } = properties
  const promptText = prompt && { type: 'string', description: pictures === 'prompt' ? 'A text of the prompt' : prompt.description }
  const form: Schema = {
    type: 'object',
    additionalProperties: false,
    properties: { image: { ...binary, description: 'The picture' }, ...(promptText && { prompt: promptText }), ...options },
    required: required.filter(name => name !== 'prompt')
  }
  if (pictures === 'prompt') {
    form.properties!.image = { type: 'array', items: binary, description: 'Pictures of the prompt; they and its texts keep their order' }
    form.properties!.prompt = { type: 'array', items: promptText, description: 'Texts of the prompt' }
  }
  content['multipart/form-data'] = { schema: form }
  for (const type of pictureTypes) content[type] = { schema: binary }
  operation.parameters = [...operation.parameters ?? [], ...Object.entries({ ...(promptText && { prompt: promptText }), ...options }).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    description: 'Beside a body of any type that does not have the field itself' + (required.includes(name) ? '; required, here or there' : ''),
    schema
  }))]
}

function addHeaders (answer: Operation['responses'][string]) {
  answer.headers = {
    'x-request-id': { description: 'The id of the request: the client\'s own where it sent one', schema: { type: 'string' } },
    'Server-Timing': { description: 'Where the time went', schema: { type: 'string' } }
  }
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
    operation.responses[status] = { description: line, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }
    addHeaders(operation.responses[status])
    if (status === 429 || status === 503) Object.assign(operation.responses[status].headers!, { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } })
  }
}

function namedSchema (schemas: Record<string, Schema>, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return name ? schemas[name]! : schema
}
