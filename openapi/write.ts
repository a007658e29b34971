/**
 * Writes what is generated from the source: the OpenAPI documents, the types of the clients, and the README's tables of
 * variables and error codes.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { Environment } from '../src/config/environment.ts'
import { errorTable } from '../src/errors.ts'
import { createMetrics } from '../src/metrics.ts'
import { createRegistry } from '../src/registry/registry.ts'
import { renderClientTypes } from './client-types.ts'

const readmeFile = fileURLToPath(new URL('../README.md', import.meta.url))

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const documents = await renderDocuments()
  for (const [name, text] of Object.entries(documents)) writeFileSync(new URL(name, import.meta.url), text)
  for (const [name, text] of Object.entries(await renderClientTypes(JSON.parse(documents['openapi.json'] ?? '')))) {
    writeFileSync(new URL(`../${name}`, import.meta.url), text)
  }
  const readme = existsSync(readmeFile)
    ? readFileSync(readmeFile, 'utf8')
    : '# LaVIT Server\n\n## Variables\n\n<!-- variables -->\n<!-- /variables -->\n\n## Error codes\n\n<!-- errors ' +
      '-->\n<!-- /errors -->\n'
  writeFileSync(readmeFile, renderTables(readme))
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

/** A README with its two tables between their marks as they are now. */
export function renderTables (readme: string): string {
  return fill(fill(readme, 'variables', variableTable()), 'errors', errorCodeTable())
}

function fill (readme: string, mark: string, table: string) {
  return readme.replace(
    new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*(<!-- /${mark} -->)`),
    (_all, open, close) => `${open}${table}${close}`
  )
}

function variableTable () {
  const rows = Object.entries(
    Environment.properties as Record<string, { default?: unknown; description?: string }>
  ).map(
    ([name, { default: value, description }]) =>
      `| \`${name}\` | ${value === undefined || String(value) === '' ? '' : `\`${value}\``} | ${description} |\n`
  )
  return `| variable | default | what it sets |\n|---|---|---|\n${rows.join('')}`
}

function errorCodeTable () {
  const rows = Object.entries(errorTable).map(([code, { status, when }]) => `| ${status} | \`${code}\` | ${when} |\n`)
  return `| status | code | when |\n|---|---|---|\n${rows.join('')}`
}
