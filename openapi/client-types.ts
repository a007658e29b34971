/** The types of the clients in clients/, written from the schemas of the document. */
import openapiTypescript, { astToString } from 'openapi-typescript'
import { objectsWithin, type Document, type Schema } from '../src/plugins/document/shape.ts'
import { renderTypedDicts } from './typed-dicts.ts'

const told = 'Written by `npm run openapi` from the schemas of the server; changes belong there.'

/** Texts by the names of their files, from the root of the repository. OpenAI's routes have clients of their own. */
export async function renderClientTypes (document: Document): Promise<Record<string, string>> {
  const { openapi, info, paths, components } = structuredClone(document)
  for (const path of Object.keys(paths)) if (path.startsWith('/v1/')) delete paths[path]
  const used = usedBy(paths, components.schemas)
  const schemas = Object.fromEntries(Object.entries(components.schemas).filter(([name]) => used.has(name)))
  for (const schema of objectsWithin(schemas)) delete schema.examples
  const codes = schemas.Problem?.properties?.code?.['x-extensible-enum']
  if (!Array.isArray(codes)) throw new Error('the document has no codes')
  const nodes = await openapiTypescript(
    JSON.stringify({ openapi, info, paths: {}, components: { schemas } }),
    { rootTypes: true, rootTypesNoSchemaPrefix: true, silent: true }
  )
  const union = codes.map(code => `\n  | '${code}'`).join('')
  return {
    'clients/typescript/src/schema.ts': `/** ${told} */\n${astToString(nodes)}\nexport type ErrorCode =${union}\n`,
    'clients/python/src/lavit_client/schema.py': `"""${told}"""\n${renderTypedDicts(schemas, codes)}`
  }
}

/** Names of the schemas that a value points at, and that those point at. */
function usedBy (value: unknown, schemas: Record<string, Schema>, used = new Set<string>()) {
  for (const { $ref = '' } of objectsWithin(value)) {
    const name = $ref.replace('#/components/schemas/', '')
    if (used.has(name) || !(name in schemas)) continue
    used.add(name)
    usedBy(schemas[name], schemas, used)
  }
  return used
}
