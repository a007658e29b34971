/**
 * Writes what is generated from the source: the OpenAPI documents, the types of the clients, and the tables of docs/.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { createMetrics } from '../src/metrics.ts'
import { createRegistry } from '../src/registry/registry.ts'
import { renderClientTypes } from './client-types.ts'
import { renderPages } from './tables.ts'

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const documents = await renderDocuments()
  for (const [name, text] of Object.entries(documents)) writeFileSync(new URL(name, import.meta.url), text)
  for (const [name, text] of Object.entries(await renderClientTypes(JSON.parse(documents['openapi.json'] ?? '')))) {
    writeFileSync(new URL(`../${name}`, import.meta.url), text)
  }
  for (const [name, text] of Object.entries(renderPages())) writeFileSync(new URL(`../${name}`, import.meta.url), text)
}

/** The documents as they are committed, by the names of their files. */
export async function renderDocuments () {
  const config = readConfig({}, '/')
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const log = { info () {}, warn () {}, error () {} }
  const withoutModels = fileURLToPath(new URL('.', import.meta.url))
  const registry = createRegistry({ ...config, modelsFolder: withoutModels, log })
  const app = await buildApp({ config, registry, metrics: createMetrics(), version })
  await app.ready()
  const written = await Promise.all(
    ['openapi.json', 'openapi.generators.json'].map(async name => {
      const document = (await app.inject(`/${name}`)).json()
      return [name, JSON.stringify(document, null, 2) + '\n'] as const
    })
  )
  await app.close()
  return Object.fromEntries(written)
}
