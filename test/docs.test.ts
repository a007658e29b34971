/** The reference under docs/ names exactly what there is, and its links lead somewhere. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { clientVariables } from '../src/config/client-variables.ts'
import { Environment } from '../src/config/environment.ts'
import { errorCodes } from '../src/errors.ts'
import { buildTestApp } from './helper.ts'

const root = join(import.meta.dirname, '..')
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.md'))
  .map(name => join('docs', name))
const textOf = (page: string) => readFileSync(join(root, page), 'utf8')
const firstCells = (page: string, mark: string, column: number) =>
  textOf(page)
    .split(`<!-- ${mark} -->`)[1]
    ?.split(`<!-- /${mark} -->`)[0]
    ?.trim()
    .split('\n')
    .slice(2)
    .map(row => /`([^`]+)`/.exec(row.split('|')[column + 1] ?? '')?.[1])

t.test('docs/metrics.md tells every series of /metrics, and no other', async t => {
  const app = await buildTestApp(t)
  app.metrics.watchProcess()
  const { body } = await app.inject('/metrics')
  const served = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
  t.ok(served.length > 20)
  t.strictSame(
    served.filter(name => !/^(process|nodejs)_/.test(name ?? '')).sort(),
    firstCells('docs/metrics.md', 'metrics', 0)?.sort()
  )
})

t.test('a variable of the server that a page names exists', async t => {
  const known = Object.keys(Environment.properties)
  t.strictSame(firstCells('docs/configuration.md', 'variables', 0)?.sort(), [...known].sort())
  const others = [...Object.values(clientVariables), 'LAVIT_SERVER'] // of the command line, of npm run page:dev
  for (const page of ['README.md', 'SECURITY.md', ...pages]) {
    const named = textOf(page).match(/\bLAVIT_[A-Z_]*[A-Z]/g) ?? []
    t.strictSame(named.filter(name => ![...known, ...others].some(other => other === name)), [], page)
  }
})

t.test('a problem code that a page names exists', async t => {
  t.strictSame(firstCells('docs/api.md', 'errors', 1)?.sort(), [...errorCodes].sort())
  for (const page of ['README.md', ...pages]) {
    const named = [...textOf(page).matchAll(/\b4\d\d `(\w+)`/g)].map(([, code]) => code)
    t.strictSame(named.filter(code => !errorCodes.some(known => known === code)), [], page)
  }
})

t.test('links of the pages lead to files, and every page stands in the index', async t => {
  const index = textOf('docs/README.md')
  for (const page of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...pages]) {
    const links = [...textOf(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link ?? '')
    const broken = links.filter(link => !/^https?:/.test(link) && !existsSync(join(root, dirname(page), link)))
    t.strictSame(broken, [], page)
  }
  for (const page of pages.filter(page => page !== 'docs/README.md')) {
    t.ok(index.includes(`(${page.slice('docs/'.length)})`), `${page} in the index`)
  }
})
