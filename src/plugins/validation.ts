/** Checks bodies against their schemas: nothing coerced, nothing filled in, nothing dropped, and every wrong field told. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { TSchema } from 'typebox'
import { ServerError, type FieldError } from '../errors.ts'

const fullReportBytes = 65_536 // a longer body gets its first wrong field only, since millions could be wrong
const longestReport = 20

export default fp<{ schemas: TSchema[] }>(async (app, { schemas }) => {
  const options = { strict: false, discriminator: true, schemas }
  const first = new Ajv({ ...options, allErrors: false })
  const all = new Ajv({ ...options, allErrors: true })

  for (const schema of schemas) app.addSchema(schema)
  app.setValidatorCompiler(({ schema }) => {
    const checkFirst = first.compile(schema as object)
    const checkAll = all.compile(schema as object)
    return value => {
      if (checkFirst(value)) return { value }
      if (value === undefined || value === null) return { error: new ServerError('invalid_request', 'The request has no body') }
      return { error: invalidFields(sizeOf(value) <= fullReportBytes ? failures(checkAll, value) : checkFirst.errors!) }
    }
  })
}, { name: 'validation' })

function failures (check: ValidateFunction, value: unknown): ErrorObject[] {
  check(value)
  return check.errors ?? []
}

function sizeOf (value: unknown) {
  return JSON.stringify(value).length
}

/** One entry for each wrong field: the deepest where one lies in another, since the outer only repeats the inner. */
export function invalidFields (problems: ErrorObject[]) {
  const fields = new Map<string, FieldError>()
  for (const problem of problems) {
    const field = fieldError(problem)
    if (!fields.has(field.pointer) || problem.keyword === 'anyOf') fields.set(field.pointer, field)
  }
  const pointers = [...fields.keys()]
  const errors = [...fields.values()]
    .filter(({ pointer }) => !pointers.some(other => other.startsWith(`${pointer}/`)))
    .slice(0, longestReport)
  const detail = errors.map(({ pointer, message }) => `${pointer.slice(1) || 'the body'} ${message}`).join('; ')
  return new ServerError('invalid_field', detail, { errors })
}

function fieldError ({ instancePath, keyword, params, message = 'is not valid' }: ErrorObject): FieldError {
  switch (keyword) {
    case 'additionalProperties': return { pointer: `${instancePath}/${escape(params.additionalProperty)}`, message: 'is not a field of this request' }
    case 'required': return { pointer: `${instancePath}/${escape(params.missingProperty)}`, message: 'is required' }
    case 'enum': return { pointer: instancePath, message: `must be one of ${params.allowedValues.join(', ')}` }
    case 'discriminator': return { pointer: `${instancePath}/type`, message: 'must be one of text, image, visual_tokens' }
    case 'anyOf': return { pointer: instancePath, message: 'has none of the forms that are allowed' }
    case 'pattern': return { pointer: instancePath, message: 'does not have the right form' }
    default: return { pointer: instancePath, message }
  }
}

/** As RFC 6901 asks; cut, since the name is the client's. */
function escape (name: string) {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Refuses what a JSON route has no use for: options in the query of a request that has a body. */
export function refuseQuery (request: FastifyRequest) {
  const names = Object.keys(request.query as object)
  if (names.length === 0) return
  const errors = names.slice(0, longestReport).map(name => ({ pointer: `/${escape(name)}`, message: 'belongs into the body, not into the query' }))
  throw new ServerError('invalid_field', 'Options of this request belong into the body, not into the query', { errors })
}
