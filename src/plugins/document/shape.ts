/** What of an OpenAPI document is looked at here. */

export type Schema = Record<string, unknown> & {
  $ref?: string
  const?: unknown
  enum?: unknown[]
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  oneOf?: Schema[]
  anyOf?: Schema[]
  examples?: unknown[]
  discriminator?: { propertyName: string; mapping?: Record<string, string> }
}
export type Media = Record<string, { schema: Schema; example?: unknown; examples?: Record<string, { value: unknown }> }>
export type Header = { description: string; schema: Schema; example?: unknown }
export type Answer = { description: string; content?: Media; headers?: Record<string, { $ref: string }> }
export type Parameter = {
  name: string
  in: string
  required: boolean
  description?: string
  schema: Schema
  example?: unknown
}
export type Operation = {
  operationId?: string
  tags?: string[]
  parameters?: Parameter[]
  requestBody?: { required: boolean; description?: string; content: Media }
  responses: Record<string, Answer>
}
export type Document = {
  openapi: string
  info: Record<string, unknown> & { description: string; license: object }
  servers: { url: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; headers?: Record<string, Header>; securitySchemes?: object }
}

/** What the routes declare is such a document as soon as it says so in its three parts. */
export function isDocument (value: object): value is Document {
  return 'openapi' in value && 'paths' in value && 'components' in value
}

export function operationsOf (document: Document): Operation[] {
  return Object.values(document.paths).flatMap(path => Object.values(path))
}

/** The schema itself where it points at a component. */
export function namedSchema ({ components }: Document, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return (name !== undefined && components.schemas[name]) || schema
}

/** Every object within a value, the value itself first. Examples are values, not schemas, and are left out. */
export function * objectsWithin (value: unknown): Generator<Schema> {
  if (typeof value !== 'object' || value === null) return
  if (isSchema(value)) yield value
  for (const [name, inner] of Object.entries(value)) {
    if (!/^(examples?|enum|const)$/.test(name)) yield * objectsWithin(inner)
  }
}

function isSchema (value: object): value is Schema {
  return !Array.isArray(value)
}
