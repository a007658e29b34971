/** Schemas that stand alone, as tools tell them: what they point at comes with them. */
import type { TSchema } from 'typebox'

export type JsonSchema = { type: 'object'; [keyword: string]: unknown }

/** A copy of an object's schema with what it points at below `$defs`. */
export function standalone (schema: TSchema, named: TSchema[]): JsonSchema {
  const byName = new Map(named.flatMap(each => ('$id' in each ? [[each.$id, each] as const] : [])))
  const defs: Record<string, unknown> = {}
  const root = copy(schema)
  if (!isObject(root)) throw new Error('the schema is no object')
  return { ...root, type: 'object', ...(Object.keys(defs).length > 0 && { $defs: defs }) }

  function copy (value: unknown): unknown {
    if (Array.isArray(value)) return value.map(copy)
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) => {
        if (name === '$id' || name === 'examples' || name === 'discriminator') return []
        return [[name, name === '$ref' ? point(inner) : copy(inner)]]
      })
    )
  }

  function point (name: unknown): string {
    const target = byName.get(name)
    if (target === undefined) throw new Error(`no schema has the name ${name}`)
    if (!(String(name) in defs)) {
      defs[String(name)] = true // holds the place of one that points at itself
      defs[String(name)] = copy(target)
    }
    return `#/$defs/${name}`
  }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
