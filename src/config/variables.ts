/** From the texts of the environment to values that its schema allows, and in words what it allows. */
import { closestMatch } from 'leven'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { clientVariables } from './client-variables.ts'
import { Environment } from './environment.ts'

/** What of a variable's schema is looked at here. */
type Variable = {
  type?: string
  enum?: readonly string[]
  items?: Variable
  default?: unknown
  minimum?: number
  maximum?: number
  allowed?: string
  secret?: boolean
}

/** What keeps the process from starting, in words for its operator, and the exit code that goes with it. */
export class StartError extends Error {
  readonly exitCode: number

  constructor (message: string, exitCode = 78) {
    // EX_CONFIG of sysexits.h
    super(message)
    this.exitCode = exitCode
  }
}

const foreign: string[] = Object.values(clientVariables)
const variables: [name: string, schema: Variable][] = Object.entries(Environment.properties)

/** An empty value is none, and a wrong one, which has its line among the refusals, too. */
export function readVariables (environment: Record<string, string | undefined>): {
  values: Static<typeof Environment>
  refusals: string[]
} {
  const values: Record<string, unknown> = {}
  const refusals: string[] = []
  for (const [name, schema] of variables) {
    const text = environment[name]?.trim() ?? ''
    const value = text === '' ? schema.default : parse(schema, text)
    if (value === undefined) continue
    const isRight = Value.Check(schema, value)
    if (!isRight) refusals.push(tellRefusal(name, schema, text))
    if (isRight || schema.default !== undefined) values[name] = isRight ? value : schema.default
  }
  Value.Assert(Environment, values)
  return { values, refusals }
}

/** The error for a variable whose value cannot work; `allowed` in place of what its schema says. */
export function refuse (name: keyof typeof Environment.properties, value: unknown, allowed?: string) {
  return new StartError(tellRefusal(name, Environment.properties[name], value, allowed))
}

/** A warning for each variable that looks like one of this server's and is none. */
export function findUnknownVariables (environment: Record<string, string | undefined>): string[] {
  const known = Object.keys(Environment.properties)
  return Object.keys(environment)
    .filter(name => /^lavit_/i.test(name) && !known.includes(name) && !foreign.includes(name))
    .map(name => `${name} is no variable of this server; the nearest is ${closestMatch(name.toUpperCase(), known)}`)
}

/**
 * Decimal digits become a number, words of a list lower case; what does not fit stays text, and is refused by the
 * schema.
 */
function parse ({ type, enum: words, items }: Variable, text: string): unknown {
  if (items) return text.split(',').map(item => parse(items, item.trim()))
  if (type === 'integer') return /^\d+$/.test(text) ? Number(text) : text
  if (type === 'number') return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
  return words ? text.toLowerCase() : text
}

function tellRefusal (name: string, schema: Variable, value: unknown, allowed = tellAllowed(schema)) {
  return `${name}${schema.secret ? ' (not shown)' : `=${JSON.stringify(value)}`} is not allowed; allowed is ${allowed}`
}

function tellAllowed ({ type, enum: words, items, minimum, maximum, allowed }: Variable): string {
  if (items) return `a list with commas of ${tellAllowed(items)}`
  if (words) return words.join(', ')
  return allowed ?? `a ${type === 'number' ? '' : 'whole '}number from ${minimum} to ${maximum}`
}
