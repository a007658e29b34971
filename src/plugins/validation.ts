/**
 * Checks bodies against their schemas: nothing coerced, nothing filled in, nothing dropped, and every wrong field told.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import fp from 'fastify-plugin'
import type { TSchema } from 'typebox'
import { ServerError, type FieldError } from '../errors.ts'
import { escapeName } from '../codecs/json.ts'
import { nearestField } from './suggestions.ts'

const fullReportValues = 5000 // a larger body gets its first wrong field only, since all of it could be wrong
const longestReport = 20
const longestCounted = 10_000 // of a longer text nobody asks how long it is

export default fp<{ schemas: TSchema[] }>(
  async (app, { schemas }) => {
    const options = { strict: false, discriminator: true, verbose: true, schemas }
    const first = new Ajv({ ...options, allErrors: false })
    const all = new Ajv({ ...options, allErrors: true })

    for (const schema of schemas) app.addSchema(schema)
    app.setValidatorCompiler<object>(({ schema }) => {
      const checkFirst = first.compile(schema)
      const checkAll = all.compile(schema)
      return value => {
        if (checkFirst(value)) return { value }
        return { error: invalidFields(hasFewValues(value) ? failures(checkAll, value) : checkFirst.errors!) }
      }
    })
  },
  { name: 'validation' }
)

function failures (check: ValidateFunction, value: unknown): ErrorObject[] {
  check(value)
  return check.errors ?? []
}

function hasFewValues (value: unknown, seen = { values: 0 }): boolean {
  if (++seen.values > fullReportValues) return false
  return typeof value !== 'object' || value === null || Object.values(value).every(inner => hasFewValues(inner, seen))
}

/** One entry for each wrong field: the deepest where one lies in another, since the outer only repeats the inner. */
export function invalidFields (problems: ErrorObject[]) {
  const fields = new Map<string, ErrorObject>()
  for (const problem of problems) {
    const pointer = pointerOf(problem)
    const known = fields.get(pointer)
    if (!known || weightOf(problem) > weightOf(known)) fields.set(pointer, problem)
  }
  const outer = outerOf(fields.keys())
  const told = [...fields].filter(([pointer]) => !outer.has(pointer)).slice(0, longestReport)
  return wrongFields(told.map(([pointer, problem]) => ({ pointer, message: messageOf(problem) })))
}

/** Pointers to all that the fields lie in. */
function outerOf (pointers: Iterable<string>): Set<string> {
  const outer = new Set<string>()
  for (let pointer of pointers) {
    while (pointer !== '') {
      pointer = pointer.slice(0, pointer.lastIndexOf('/'))
      if (outer.has(pointer)) break
      outer.add(pointer)
    }
  }
  return outer
}

/** Of all that are wrong the first are told. */
export function wrongFields (fields: FieldError[]) {
  const errors = fields.slice(0, longestReport)
  const detail = errors.map(({ pointer, message }) => `${tellPointer(pointer)} ${message}`).join('; ')
  return new ServerError('invalid_field', detail, { errors })
}

/** A field without a name is not the body. */
function tellPointer (pointer: string): string {
  return pointer === '' ? 'The body' : pointer.slice(1) || '""'
}

/** Of a value that may have one of several forms: what is wrong in the form that it has, else which forms there are. */
function weightOf ({ keyword }: ErrorObject): number {
  return keyword === 'type' ? 0 : keyword === 'anyOf' ? 1 : 2
}

/** What tells the forms of a value apart, by the name of the first. */
const tags: Record<string, string> = {
  TextPart: 'text, image, visual_tokens',
  ChatTextPart: 'text, image_url, file, input_audio, refusal',
  TokenizeEstimate: 'tokenize, detokenize, caption, vqa, generate'
}

/** What a pattern asks for. */
const patterns: Record<string, string> = {
  '^[1-9][0-9]{0,2}h$': 'must be whole hours from 1h to 999h, such as 24h'
}

function pointerOf ({ instancePath, keyword, params }: ErrorObject): string {
  switch (keyword) {
    case 'additionalProperties':
      return `${instancePath}/${escapeName(params.additionalProperty)}`
    case 'required':
      return `${instancePath}/${escapeName(params.missingProperty)}`
    case 'discriminator':
      return `${instancePath}/${params.tag}`
    default:
      return instancePath
  }
}

function messageOf ({ keyword, params, parentSchema, data, message = 'is not valid' }: ErrorObject): string {
  switch (keyword) {
    case 'additionalProperties':
      return tellUnknown(params.additionalProperty, parentSchema?.properties)
    case 'required':
      return 'is required'
    case 'type':
      return `must be ${tellTypes([params.type].flat())}, not ${tellKind(data)}`
    case 'anyOf':
      return `must be ${tellTypes(typesOf(parentSchema?.anyOf))}, not ${tellKind(data)}`
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`
    case 'discriminator':
      return `must be one of ${tags[parentSchema?.oneOf?.[0]?.$ref]}`
    case 'const':
      return `must be ${params.allowedValue}`
    case 'pattern':
      return patterns[params.pattern] ?? message
    case 'minLength':
    case 'minItems':
      return params.limit === 1 ? 'must not be empty' : message
    case 'maxLength':
      return `must have at most ${params.limit} characters${tellLength(String(data))}`
    case 'maxItems':
      return `must hold at most ${params.limit} items, not ${Array.isArray(data) ? data.length : 0}`
    default:
      return message
  }
}

const typeNames: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null'
}

/** The types of the forms that a value may have, from the schema's `anyOf`. */
function typesOf (forms: Array<{ type?: string }> = []): string[] {
  return forms.map(({ type }) => type ?? 'object')
}

function tellTypes (types: string[]): string {
  return types.map(type => typeNames[type] ?? type).join(' or ')
}

function tellKind (value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return String(value)
  return tellTypes([Array.isArray(value) ? 'array' : typeof value])
}

function tellLength (text: string): string {
  return text.length > longestCounted ? '' : `, not ${[...text].length}`
}

function tellUnknown (name: string, properties: object = {}): string {
  const nearest = nearestField(name, Object.keys(properties))
  return `is not a field of this request${nearest === undefined ? '' : `; did you mean ${nearest}?`}`
}
