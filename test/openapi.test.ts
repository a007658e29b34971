import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { renderDocument, renderTables } from '../openapi/write.ts'
import { errorTable } from '../src/errors.ts'

type Operation = { operationId: string, tags: string[], summary: string, description: string, requestBody?: { content: Record<string, { example?: unknown }> }, responses: Record<string, { description: string, content?: Record<string, { example?: unknown }> }> }

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const text = await renderDocument()
const document = JSON.parse(text)
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })))

t.test('the committed document is the one the source makes', async t => {
  t.strictSame(document, JSON.parse(read('../openapi/openapi.json')), 'npm run openapi rewrites it')
})

t.test('the README tables are the ones the source makes', async t => {
  t.equal(renderTables(read('../README.md')), read('../README.md'), 'npm run openapi rewrites them')
})

t.test('it is valid OpenAPI 3.1', async t => {
  const { valid, errors } = await new Validator().validate(JSON.parse(text))
  t.ok(valid, { errors })
})

t.test('every operation is described, with examples and its errors as problems', async t => {
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length)
  for (const { name, operation } of operations) {
    t.match(operation, { operationId: String, tags: [String], summary: String, description: String }, name)
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      if (Number(status) >= 400) t.strictSame(Object.keys(content), ['application/problem+json'], `${name} ${status}`)
    }
    if (operation.tags[0] === 'jobs') {
      t.ok(operation.requestBody?.content['application/json']?.example, name)
      t.ok(operation.responses[200]?.content?.['application/json']?.example, name)
      t.strictSame(['400', '413', '422', '429', '500', '503', '504'].filter(status => !operation.responses[status]), [], name)
    }
  }
})

t.test('routes that read pictures tell of every form', async t => {
  for (const path of ['/tokenize', '/caption', '/vqa', '/generate']) {
    t.strictSame(Object.keys(document.paths[path].post.requestBody.content), ['application/json', 'multipart/form-data', 'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'], path)
  }
})

t.test('it names every error code and no other', async t => {
  t.strictSame(document.components.schemas.Problem.properties.code.enum, Object.keys(errorTable))
  const told = [...text.matchAll(/`([a-z_]+)`: /g)].map(([, code]) => code!)
  t.strictSame(told.filter(code => !Object.hasOwn(errorTable, code)), [])
})
