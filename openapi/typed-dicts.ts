/** Schemas as types of Python: a TypedDict for each object, and for each request one of its options. */
import type { Schema } from '../src/plugins/document/shape.ts'

const head = `from __future__ import annotations

from typing import Any, Dict, List, Literal, Union

from typing_extensions import NotRequired, TypedDict
`
const indent = '    '
const givenApart = ['image', 'stream'] // arguments of their own, as what is required is

/** The module's text after its docstring. `codes`: those of problems. */
export function renderTypedDicts (schemas: Record<string, Schema>, codes: string[]): string {
  const types = Object.entries(schemas).flatMap(([name, schema]) => {
    if (holdsRequest(schema)) return []
    if (!name.endsWith('Request')) return render(name, schema)
    return renderClass(name.replace(/Request$/, 'Options'), optionsOf(schema))
  })
  return [head, ...types, `ErrorCode = ${literal(codes)}\n`].join('\n\n')
}

/** Of a request within another, whose arguments are those of the inner one. */
function holdsRequest ({ properties = {}, oneOf = [] }: Schema): boolean {
  return [...Object.values(properties), ...oneOf].some(({ $ref = '' }) => /(Request|Estimate)$/.test($ref))
}

function optionsOf ({ properties = {}, required = [], ...schema }: Schema): Schema {
  const options = Object.entries(properties).filter(([name]) => ![...required, ...givenApart].includes(name))
  return { ...schema, properties: Object.fromEntries(options) }
}

function render (name: string, schema: Schema): string[] {
  return schema.properties ? renderClass(name, schema) : [`${name} = ${typeOf(name, schema, true)}\n`]
}

/** The class, after those of the objects within it. */
function renderClass (name: string, { description, properties = {}, required = [] }: Schema): string[] {
  const inner = Object.entries(properties).flatMap(([field, schema]) =>
    schema.properties ? renderClass(name + pascal(field), schema) : []
  )
  const fields = Object.entries(properties).map(([field, schema]) => {
    const type = typeOf(name + pascal(field), schema)
    return `${field}: ${required.includes(field) ? type : `NotRequired[${type}]`}\n${docstring(schema.description)}`
  })
  const body = [docstring(description), ...fields].map(part => part.replace(/^(?=.)/gm, indent)).join('\n')
  return [...inner, `class ${name}(TypedDict):\n${body}`]
}

/** `isEvaluated`: names that come later stand in quotes, since Python evaluates it at once. */
function typeOf (name: string, schema: Schema, isEvaluated = false): string {
  const { $ref, type, items, additionalProperties, anyOf, oneOf, enum: values } = schema
  const parts = anyOf ?? oneOf ?? (Array.isArray(type) ? type.map(type => ({ type })) : undefined)
  if ($ref !== undefined) return isEvaluated ? `'${nameOf($ref)}'` : nameOf($ref)
  if (parts) return `Union[${parts.map(part => typeOf(name, part, isEvaluated)).join(', ')}]`
  if ('const' in schema) return literal([schema.const])
  if (values) return literal(values)
  if (schema.properties) return name
  if (type === 'array') return `List[${isSchema(items) ? typeOf(name, items, isEvaluated) : 'Any'}]`
  if (type === 'object') {
    return `Dict[str, ${isSchema(additionalProperties) ? typeOf(name, additionalProperties, isEvaluated) : 'Any'}]`
  }
  return typeof type === 'string' ? scalars[type] ?? 'Any' : 'Any'
}

const scalars: Record<string, string> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
  null: 'None'
}

function isSchema (value: unknown): value is Schema {
  return typeof value === 'object' && value !== null
}

function nameOf (ref: string) {
  return ref.split('/').at(-1) ?? ''
}

function literal (values: unknown[]) {
  return `Literal[${values.map(value => (value === true ? 'True' : `'${value}'`)).join(', ')}]`
}

function docstring (text = '') {
  return `"""${text.replaceAll('\\', '\\\\')}"""\n`
}

function pascal (name: string) {
  return name.replace(/(?:^|_)(\w)/g, (_all, letter: string) => letter.toUpperCase())
}
