// covers: src/plugins/openapi.ts src/plugins/document/complete.ts src/plugins/document/events.ts
// covers: src/plugins/document/forms.ts src/plugins/document/generators.ts src/plugins/document/headers.ts
// covers: src/plugins/document/limits.ts src/plugins/document/serve.ts src/plugins/document/shape.ts
// covers: src/schemas/common.ts src/schemas/events.ts
import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { renderClientTypes } from '../openapi/client-types.ts'
import { renderPages } from '../openapi/tables.ts'
import { renderDocuments } from '../openapi/write.ts'
import { errorTable } from '../src/errors.ts'
import { namedSchema, objectsWithin, type Document, type Schema } from '../src/plugins/document/shape.ts'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const texts = await renderDocuments()
const text = texts['openapi.json'] ?? ''
const document = JSON.parse(text) as Document
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, method, operation }))
)
const jobs = operations.filter(
  ({ operation: { tags, operationId } }) => tags?.[0] === 'jobs' && operationId !== 'estimate'
)
const isHealth = (name: string) => name.startsWith('get /health/')
const keyErrors: [status: string, codes: string[]][] = [
  ['401', ['unauthorized']],
  ['403', ['forbidden']],
  ['429', ['rate_limited']]
]
const schemas = [...objectsWithin([document.components.schemas, document.paths])]
const { Problem = {}, PromptPart = {} } = document.components.schemas

t.test('the committed documents are the ones the source makes', async t => {
  for (const [name, text] of Object.entries(texts)) {
    t.equal(read(`../openapi/${name}`), text, `npm run openapi rewrites ${name}`)
  }
})

t.test('the committed types of the clients are the ones that the document makes', async t => {
  for (const [name, text] of Object.entries(await renderClientTypes(document))) {
    t.equal(read(`../${name}`), text, `npm run openapi rewrites ${name}`)
  }
})

t.test('the tables of docs/ are the ones the source makes', async t => {
  for (const [name, text] of Object.entries(renderPages())) {
    t.equal(read(`../${name}`), text, `npm run openapi rewrites ${name}`)
  }
})

t.test('integers of more than 32 bits say so, in answers, too', async t => {
  const { GeneratedImage, GeneratedText, GenerateRequest } = document.components.schemas
  for (const schema of [GeneratedImage, GeneratedText, GenerateRequest]) {
    t.match(schema?.properties?.seed, { type: 'integer', format: 'int64', maximum: 2 ** 32 - 1 })
  }
  t.notOk(schemas.some(({ maximum, format }) => Number(maximum) >= 2 ** 31 && format !== 'int64'))
})

t.test('it is valid OpenAPI 3.1', async t => {
  const { valid, errors } = await new Validator().validate(JSON.parse(text))
  t.ok(valid, { errors })
})

t.test('it says who keeps it, whom it lets in, and where it holds', async t => {
  t.match(document, {
    info: { contact: { name: String }, license: { identifier: 'Apache-2.0' } },
    servers: [{ url: '.' }],
    security: [{}, { apiKey: [] }],
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: String } } }
  })
  for (const { name, operation } of operations) {
    t.strictSame(
      (operation as { security?: unknown }).security,
      /load/.test(name) ? [{ apiKey: [] }] : isHealth(name) ? [] : undefined,
      name
    )
    for (const [status, codes] of keyErrors) {
      const described = operation.responses[status]?.description ?? ''
      t.equal(codes.every(code => described.includes(`\`${code}\`: `)), !isHealth(name), `${name} ${status}`)
    }
  }
})

t.test('every operation is described, with examples and its errors as problems', async t => {
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length)
  for (const { name, method, operation } of operations) {
    t.match(operation, { operationId: /^[a-z][A-Za-z]+$/, tags: [String], summary: String, description: String }, name)
    for (const [status, { content = {}, headers = {} }] of Object.entries(operation.responses)) {
      if (Number(status) >= 400) t.strictSame(Object.keys(content), ['application/problem+json'], `${name} ${status}`)
      t.ok(headers['x-request-id'], `${name} ${status}`)
    }
    const told = (statuses: string[]) => statuses.filter(status => !operation.responses[status])
    t.strictSame(told(['200', '400', '405', '408', '417', '431', '500']), [], name)
    if (method === 'post' || method === 'delete') t.strictSame(told(['413', '415']), [], name)
    if (/load$/.test(name)) t.strictSame(told(['422']), [], `${name} takes no fields`)
  }
  t.equal(jobs.length, 5)
  for (const {
    name,
    operation: { requestBody, responses }
  } of jobs) {
    const json = requestBody?.content['application/json']
    t.ok(json?.example ?? json?.examples, name)
    t.ok(responses[200]?.content?.['application/json']?.example, name)
    t.strictSame(
      ['404', '406', '422', '429', '503', '504'].filter(status => !responses[status]),
      [],
      name
    )
  }
  const answers = operations.map(({ operation }) => operation.responses[200]?.description)
  t.equal(new Set(answers).size, operations.length, 'each says what it answers')
})

t.test('whatever writes to the disk says that it may be full', async t => {
  const writing = operations.filter(({ operation }) => operation.responses['507'])
  t.strictSame(writing.map(({ name }) => name).sort(), [
    'post /v1/batches',
    'post /v1/batches/{id}/cancel',
    'post /v1/files'
  ])
})

t.test('answers tell of their headers', async t => {
  const told = (name: string, status: string) =>
    Object.keys(
      operations.find(({ operation }) => operation.operationId === name)?.operation.responses[status]?.headers ?? {}
    )
  const usual = ['x-request-id', 'Server-Timing', 'Cache-Control', 'Vary']
  const rates = ['RateLimit-Policy', 'RateLimit']
  const places = ['x-queue-position', 'x-expected-start-ms']
  t.strictSame(told('caption', '200'), [...usual, ...places, ...rates])
  t.strictSame(told('estimate', '200'), [...usual, ...rates])
  t.strictSame(told('getLive', '200'), usual)
  t.strictSame(told('generate', '200'), [...usual, ...places, 'x-seed', ...rates])
  t.strictSame(told('detokenize', '200'), [...usual, ...places, 'x-seed', ...rates])
  t.strictSame(told('caption', '405'), [...usual, 'Allow', ...rates])
  t.strictSame(told('caption', '415'), [...usual, 'Accept-Post', ...rates])
  t.strictSame(told('caption', '429'), [...usual, 'Retry-After', ...rates])
  t.strictSame(told('getReady', '503'), [...usual, 'Retry-After'])
  t.strictSame(told('loadModel', '401'), [...usual, 'WWW-Authenticate', ...rates])
})

t.test('every schema and property says what it is', async t => {
  const describes = (schema: Schema) =>
    schema.description !== undefined || namedSchema(document, schema).description !== undefined
  for (const [name, schema] of Object.entries(document.components.schemas)) t.ok(schema.description, name)
  const properties = schemas.flatMap(({ properties = {} }) => Object.entries(properties))
  t.strictSame(
    properties.filter(([, schema]) => !describes(schema)).map(([name]) => name),
    []
  )
  for (const { name, operation } of operations) {
    for (const parameter of operation.parameters ?? []) t.ok(parameter.description, `${name} ${parameter.name}`)
  }
})

t.test('generators need not guess', async t => {
  t.strictSame(
    schemas.filter(schema => 'default' in schema && 'type' in schema),
    [],
    'a default would make a field required'
  )
  t.strictSame(
    schemas.filter(schema => Array.isArray(schema.enum) && schema.type === undefined),
    []
  )
  t.strictSame(
    schemas.filter(schema => schema.patternProperties),
    []
  )
  const parts = ['TextPart', 'ImagePart', 'VisualTokensPart'].map(name => `#/components/schemas/${name}`)
  t.strictSame(
    PromptPart.oneOf,
    parts.map($ref => ({ $ref }))
  )
  t.strictSame(PromptPart.discriminator, {
    propertyName: 'type',
    mapping: { text: parts[0], image: parts[1], visual_tokens: parts[2] }
  })
})

t.test('routes that read pictures tell of every form', async t => {
  for (const path of ['/tokenize', '/caption', '/vqa', '/generate']) {
    t.strictSame(
      Object.keys(document.paths[path]?.post?.requestBody?.content ?? {}),
      ['application/json', 'multipart/form-data', 'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'],
      path
    )
  }
  const requiredOf = (path: string) =>
    document.paths[path]?.post?.requestBody?.content['multipart/form-data']?.schema.required
  t.strictSame(requiredOf('/tokenize'), ['image'])
  t.strictSame(requiredOf('/caption'), ['image'])
  t.strictSame(requiredOf('/vqa'), ['image', 'question'])
})

t.test('it tells the limits', async t => {
  const places = [
    document.info.description,
    ...['/tokenize', '/caption', '/vqa', '/generate'].map(path => document.paths[path]?.post?.requestBody?.description)
  ]
  for (const place of places) {
    for (const limit of [
      '10485760 bytes',
      '41943040 bytes',
      '40000000 pixels',
      '4000 characters',
      '16 parts',
      '64 parts'
    ]) {
      t.match(place, limit)
    }
  }
})

t.test('it names every error code that a client can receive, and no other', async t => {
  const codes = Object.keys(errorTable).filter(code => code !== 'request_cancelled')
  const { code = {} } = Problem.properties ?? {}
  t.notOk(code.enum, 'more may come')
  t.strictSame(code['x-extensible-enum'], codes)
  for (const name of codes) t.match(code.description, `\`${name}\`: `)
  const told = [...text.matchAll(/`([a-z_]+)`: /g)].map(([, name]) => name)
  t.strictSame(
    told.filter(name => !codes.includes(String(name))),
    []
  )
})

t.test('the document for generators leaves them one choice', async t => {
  const variant = JSON.parse(texts['openapi.generators.json'] ?? '') as Document
  t.equal(variant.openapi, '3.0.3')
  const ours = Object.keys(document.paths).filter(path => !path.startsWith('/v1/')) // those have their own clients
  t.strictSame(Object.keys(variant.paths), ours)
  for (const [path, methods] of Object.entries(variant.paths)) {
    for (const { requestBody, parameters = [], responses } of Object.values(methods)) {
      if (requestBody) t.strictSame(Object.keys(requestBody.content), ['application/json'], path)
      t.strictSame(
        parameters.filter(parameter => parameter.in === 'query'),
        [],
        path
      )
      for (const [status, { content }] of Object.entries(responses)) {
        t.ok(content === undefined || Object.keys(content).length === 1, `${path} ${status}`)
      }
    }
  }
  const schemas = [...objectsWithin([variant.components.schemas, variant.paths])]
  t.strictSame(
    schemas.filter(schema => 'default' in schema && 'type' in schema),
    []
  )
  t.strictSame(
    schemas.filter(
      schema =>
        schema.const !== undefined ||
        Array.isArray(schema.examples) ||
        schema.anyOf?.some(({ type }) => type === 'null')
    ),
    [],
    'words that 3.0 does not know'
  )
  for (const name of ['TextPart', 'ImagePart', 'VisualTokensPart']) t.ok(variant.components.schemas[name], name)
  for (const field of ['stream', 'previews']) {
    t.notOk(variant.components.schemas.GenerateRequest?.properties?.[field], field)
  }
})
