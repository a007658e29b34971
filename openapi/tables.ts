/** The tables of docs/ that are generated: variables, error codes, metrics, and the fields of a manifest. */
import { readFileSync } from 'node:fs'
import { Environment } from '../src/config/environment.ts'
import { errorTable } from '../src/errors.ts'
import { createMetrics } from '../src/metrics.ts'
import { Manifest } from '../src/package/manifest.ts'

type Metric = { name: string; help: string; type: string; labelNames?: string[] }
type Schema = {
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  minimum?: number
  description?: string
  default?: unknown
}

/** Each table by the page that holds it and the mark around it there. */
const tables: { page: string; mark: string; render: () => string }[] = [
  { page: 'docs/configuration.md', mark: 'variables', render: variables },
  { page: 'docs/api.md', mark: 'errors', render: errorCodes },
  { page: 'docs/metrics.md', mark: 'metrics', render: metrics },
  { page: 'docs/manifest.md', mark: 'manifest', render: manifest }
]

/** The pages that hold tables, as they should be, by the paths of their files. */
export function renderPages (): Record<string, string> {
  return Object.fromEntries(
    tables.map(({ page, mark, render }) => [
      page,
      fill(readFileSync(new URL(`../${page}`, import.meta.url), 'utf8'), mark, render())
    ])
  )
}

function fill (page: string, mark: string, table: string) {
  return page.replace(
    new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*(<!-- /${mark} -->)`),
    (_all, open, close) => `${open}${table}${close}`
  )
}

function variables () {
  const rows = Object.entries(Environment.properties as Record<string, Schema>).map(
    ([name, { default: value, description }]) => [
      `\`${name}\``,
      value === undefined || String(value) === '' ? '' : `\`${value}\``,
      description?.replaceAll('](docs/', '](')
    ]
  )
  return tell(['variable', 'default', 'what it sets'], rows)
}

function errorCodes () {
  const rows = Object.entries(errorTable).map(([code, { status, when }]) => [status, `\`${code}\``, when])
  return tell(['status', 'code', 'when'], rows)
}

function metrics () {
  const rows = (createMetrics().describe() as unknown as Metric[]).map(({ name, help, type, labelNames = [] }) => [
    `\`${name}\``,
    type,
    labelNames.map(label => `\`${label}\``).join(', '),
    help
  ])
  return tell(['metric', 'type', 'labels', 'what it counts'], rows)
}

function manifest () {
  return tell(['field', 'value', 'what it says'], fieldsOf(Manifest as Schema, ''))
}

/** A row for each field that holds a value. What `graphs` holds is the same for each graph. */
function fieldsOf ({ properties = {}, required = [] }: Schema, prefix: string): (string | undefined)[][] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`
    const row = [`\`${path}\`${required.includes(name) ? '' : ' (optional)'}`, valueOf(schema), schema.description]
    return schema.properties && prefix !== 'graphs.' ? fieldsOf(schema, `${path}.`) : [row]
  })
}

function valueOf ({ type = '', const: constant, enum: words, anyOf, items, minimum }: Schema): string {
  if (constant !== undefined) return `\`${constant}\``
  if (words) return words.map(word => `\`${word}\``).join(', ')
  if (anyOf) return 'an object by its `kind`'
  if (items) return `a list of ${valueOf(items)}`
  return minimum === undefined ? type : `${type} from ${minimum}`
}

function tell (head: string[], rows: (string | number | undefined)[][]) {
  const line = (cells: (string | number | undefined)[]) => `| ${cells.map(cell => cell ?? '').join(' | ')} |\n`
  return line(head) + `|${'---|'.repeat(head.length)}\n` + rows.map(line).join('')
}
