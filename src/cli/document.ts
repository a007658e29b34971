/** The fields of each request, as the OpenAPI document tells them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.ts'

export type Field = {
  name: string
  kind: 'text' | 'integer' | 'number' | 'boolean' | 'integers'
  choices?: readonly string[]
  /** Of a number; where there is none the server refuses. */
  range?: readonly [least: number, most: number]
  description: string
}

type Schema = {
  $ref?: string
  type?: string
  enum?: string[]
  description?: string
  properties?: Record<string, Schema>
}
type Operation = { requestBody: { content: { 'application/json': { schema: Schema } } } }
type Document = { components: { schemas: Record<string, Schema> }; paths: Record<string, { post: Operation }> }

let read: Document | undefined

/** Fields of a job's JSON request, in their order, without those in `own`. */
export function fieldsOf (path: string, own: readonly string[]): Field[] {
  read ??= parse(readFileSync(join(root, 'openapi/openapi.json'), 'utf8'))
  const document = read
  const follow = (schema: Schema): Schema => {
    const target = document.components.schemas[schema.$ref?.split('/').at(-1) ?? '']
    return target === undefined ? schema : { ...target, ...schema }
  }
  const request = follow(document.paths[path]?.post.requestBody.content['application/json'].schema ?? {})
  return Object.entries(request.properties ?? {})
    .filter(([name]) => !own.includes(name))
    .map(([name, schema]) => fieldOf(name, follow(schema)))
}

function fieldOf (name: string, { type, enum: choices, description = '' }: Schema): Field {
  return { name, kind: kindOf(type), ...(choices && { choices }), description }
}

function kindOf (type: string | undefined): Field['kind'] {
  switch (type) {
    case 'integer':
    case 'number':
    case 'boolean':
      return type
    case 'array':
      return 'integers'
    default:
      return 'text'
  }
}

function parse (text: string): Document {
  return JSON.parse(text)
}
