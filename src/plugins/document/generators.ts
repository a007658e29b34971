/**
 * The document for programs that write clients: OpenAPI 3.0, which all of them read, JSON alone in requests, no options
 * in the query of a job, and one type of answer for each status. OpenAI's routes have clients of their own.
 */
import { objectsWithin, operationsOf, type Document, type Operation, type Schema } from './shape.ts'

const ofStreams = ['stream', 'previews'] // they ask for another form of answer

export function forGenerators (document: Document): Document {
  const copy = structuredClone(document)
  copy.openapi = '3.0.3'
  copy.info.license = { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' }
  copy.info.description +=
    '\n\nThis is the variant for generators: pictures travel as base64 in JSON, and each answer has one type. ' +
    '`/openapi.json` tells of every form.'
  for (const path of Object.keys(copy.paths)) if (path.startsWith('/v1/')) delete copy.paths[path]
  for (const operation of operationsOf(copy)) keepJson(operation)
  for (const schema of objectsWithin([copy.components, copy.paths])) {
    toOpenApi30(schema)
    for (const field of ofStreams) delete schema.properties?.[field]
  }
  dropUnused(copy)
  return copy
}

function keepJson (operation: Operation) {
  const { requestBody, responses } = operation
  if (requestBody) {
    requestBody.content = firstOf(requestBody.content)
    requestBody.description = requestBody.description?.replace(/ As JSON, .*$/, '') ?? ''
    operation.parameters = (operation.parameters ?? []).filter(parameter => parameter.in !== 'query')
    if (operation.parameters.length === 0) delete operation.parameters
  }
  for (const answer of Object.values(responses)) {
    if (answer.content) answer.content = firstOf(answer.content)
    if (answer.headers) delete answer.headers['x-seed']
  }
}

/** Components that nothing points at any more; what they alone pointed at goes with them. */
function dropUnused ({ components, paths }: Document) {
  const used = new Set<string>()
  const visit = (value: unknown) => {
    for (const { $ref } of objectsWithin(value)) {
      if ($ref === undefined || used.has($ref)) continue
      used.add($ref)
      const [kind, name] = $ref.split('/').slice(-2)
      visit(kind === 'headers' ? components.headers?.[name ?? ''] : components.schemas[name ?? ''])
    }
  }
  visit(paths)
  for (const name of Object.keys(components.schemas)) {
    if (!used.has(`#/components/schemas/${name}`)) delete components.schemas[name]
  }
  for (const name of Object.keys(components.headers ?? {})) {
    if (!used.has(`#/components/headers/${name}`)) delete components.headers?.[name]
  }
}

/** JSON stands first wherever there is a choice. */
function firstOf<T> (content: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(content).slice(0, 1))
}

/** The few words of JSON Schema that 3.0 says otherwise. */
function toOpenApi30 (schema: Schema) {
  const { $ref, type, anyOf, examples, exclusiveMinimum } = schema
  if ($ref !== undefined) delete schema.description // 3.0 knows nothing beside a reference
  if (Array.isArray(examples)) {
    schema.example = examples[0]
    delete schema.examples
  }
  if (type === 'number') schema.format = 'double' // else some take 32 bits for enough
  if (typeof exclusiveMinimum === 'number') Object.assign(schema, { minimum: exclusiveMinimum, exclusiveMinimum: true })
  if (anyOf?.some(({ type }) => type === 'null')) {
    delete schema.anyOf
    Object.assign(
      schema,
      anyOf.find(({ type }) => type !== 'null'),
      { nullable: true }
    )
  }
}
