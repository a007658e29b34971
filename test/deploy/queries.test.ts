/** Every query under deploy/ selects series that /metrics has, by labels and closed values that they have. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorCodes } from '../../src/errors.ts'
import { createMetrics } from '../../src/metrics.ts'
import { ModelSummary } from '../../src/schemas/models.ts'
import type { JobStage } from '../../src/tasks/measures.ts'

type Selector = { series: string; labels: [name: string, value: string][] }
type Described = { name: string; type: unknown; labelNames?: string[] }

const root = join(import.meta.dirname, '../../deploy')
const ofTheScraper = ['job', 'instance', 'namespace', 'pod']
const jobStages: JobStage[] = ['upload', 'load', 'image', 'queue', 'encode', 'prefill', 'decode', 'paint', 'answer']
const closed: Record<string, readonly string[]> = {
  code: errorCodes,
  state: ModelSummary.properties.state.enum,
  stage: [...jobStages, 'start', 'begin'],
  by: ['ref', 'pixels'],
  result: ['hit', 'miss'],
  direction: ['to_engine', 'from_engine']
}
const suffixes: Record<string, string[]> = { histogram: ['_bucket', '_sum', '_count'], summary: ['_sum', '_count'] }

/** Series by name, each with its labels. */
const known = new Map(describe().flatMap(({ name, type, labelNames = [] }) => {
  const labels = [...labelNames, ...ofTheScraper]
  const parts = suffixes[String(type)] ?? ['']
  return parts.map((part): [string, string[]] => [name + part, part === '_bucket' ? [...labels, 'le'] : labels])
}))

function describe (): Described[] {
  const metrics = createMetrics()
  metrics.watchProcess()
  return metrics.describe()
}

/** What an expression of PromQL selects, and by which labels it groups. */
function read (query: string) {
  const selectors = [...query.matchAll(/\b([a-z]+_\w+)(?:\{([^}]*)\})?(?!\w|\s*\()/g)]
    .filter(([, name]) => name !== undefined && !name.startsWith('__'))
    .map(([, series = '', braces = '']): Selector => ({
      series,
      labels: [...braces.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])
    }))
  const groups = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/,\s*/))
  return { selectors, groups }
}

function faultsOf (query: string) {
  const { selectors, groups } = read(query)
  const faults = selectors.length === 0 ? ['it selects nothing'] : []
  for (const { series, labels } of selectors) {
    const has = known.get(series)
    if (has === undefined) {
      faults.push(`no series ${series}`)
      continue
    }
    for (const name of [...labels.map(([name]) => name), ...groups]) {
      if (!has.includes(name)) faults.push(`${series} has no label ${name}`)
    }
    for (const [name, value] of labels) {
      const wrong = value.split('|').filter(word => !(closed[name]?.includes(word) ?? true))
      if (wrong.length > 0) faults.push(`${name} is never ${wrong.join(', ')}`)
    }
  }
  return faults
}

const textOf = (name: string) => readFileSync(join(root, name), 'utf8')
const rules = [...textOf('prometheus/alerts.yaml').matchAll(/^ +expr: (.+)$/gm)].map(([, query = '']) => query)
const panels: { title: string; targets?: { expr: string }[] }[] = JSON.parse(textOf('grafana/dashboard.json')).panels

t.test('what the check finds', async t => {
  t.strictSame(faultsOf('sum by (code) (rate(lavit_errors_total{code="queue_full"}[5m])) > 0'), [])
  t.strictSame(faultsOf('lavit_errors'), ['no series lavit_errors'])
  t.strictSame(faultsOf('lavit_request_duration_seconds > 1'), ['no series lavit_request_duration_seconds'])
  t.strictSame(faultsOf('lavit_queued_cost{model_name="a"}'), ['lavit_queued_cost has no label model_name'])
  t.strictSame(faultsOf('sum by (route) (lavit_running)'), ['lavit_running has no label route'])
  t.strictSame(faultsOf('lavit_model_state{state="broken"}'), ['state is never broken'])
  t.strictSame(faultsOf('1 > 0'), ['it selects nothing'])
})

t.test('alerts', async t => {
  t.equal(rules.length, textOf('prometheus/alerts.yaml').match(/- alert:/g)?.length)
  for (const query of rules) t.strictSame(faultsOf(query), [], query)
})

t.test('every alert has its test', async t => {
  const tests = textOf('prometheus/alerts.test.yaml')
  for (const [, name = ''] of textOf('prometheus/alerts.yaml').matchAll(/- alert: (\w+)/g)) {
    t.match(tests, new RegExp(`alertname: ${name}\\n +exp_alerts:\\n`), name)
  }
})

t.test('the dashboard, which shows every series of our own', async t => {
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  for (const query of queries) t.strictSame(faultsOf(query), [], query)
  const shown = queries.join('\n')
  for (const name of createMetrics().describe().map(({ name }) => name)) t.ok(shown.includes(name), name)
})

t.test('values and templates of the chart', async t => {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => /\.(yaml|tpl)$/.test(name))
  for (const name of names.filter(name => name.startsWith('helm/'))) {
    for (const [query] of textOf(name).matchAll(/\blavit_\w+/g)) t.ok(known.has(query), `${name}: ${query}`)
  }
})
