/** The file of keys: who may use the server, for what, and how much. */
import { readFileSync } from 'node:fs'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { StartError } from './variables.ts'

export const scopes = ['infer', 'metrics', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** `rate` counts requests a minute, `share` is a part of LAVIT_QUEUE_LIMIT. */
const KeyEntry = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    scopes: Type.Array(Type.Enum([...scopes]), { minItems: 1 }),
    rate: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 }))
  },
  { additionalProperties: false }
)
const KeyList = Type.Array(KeyEntry)

export type KeyEntry = Static<typeof KeyEntry>

/** Throws a StartError that names the file and what is wrong with it; it shows no value that the file holds. */
export function readKeys (file: string): KeyEntry[] {
  const refuse = (reason: string) => new StartError(`LAVIT_KEYS_FILE=${JSON.stringify(file)} cannot be used: ${reason}`)
  const keys = parse(readText(file, refuse), refuse)
  if (!Value.Check(KeyList, keys)) {
    const [error] = Value.Errors(KeyList, keys)
    const message = error?.keyword === 'boolean' ? 'is no field of a key' : error?.message
    throw refuse(`${error?.instancePath || 'the list of keys'} ${message}`)
  }
  for (const field of ['name', 'sha256'] as const) {
    const values = keys.map(key => key[field])
    const twice = values.findIndex((value, i) => values.indexOf(value) !== i)
    if (twice !== -1) throw refuse(`/${twice}/${field} is that of another key, too`)
  }
  return keys
}

function readText (file: string, refuse: (reason: string) => StartError) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw refuse(`it cannot be read (${error instanceof Error && 'code' in error ? error.code : 'unknown cause'})`)
  }
}

/** The parser's own words would quote the file. */
function parse (text: string, refuse: (reason: string) => StartError): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw refuse('it is not JSON')
  }
}
