/** Tests of the tests: what is kept of files without their types. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

const { load } = await import(new URL('fixtures/strip/hooks.js', import.meta.url).href)
const kept = new URL('../.tap/stripped/', import.meta.url).pathname

t.test('of each file one version is kept, the last', async t => {
  const path = join(t.testdir(), 'a.ts')
  const begin = createHash('sha256').update(path).digest('hex').slice(0, 32)
  const files = () => readdirSync(kept).filter(name => name.startsWith(begin))
  t.teardown(() => files().forEach(name => rmSync(kept + name)))
  const strip = async (text: string) =>
    (await load(pathToFileURL(path).href, {}, async () => ({ source: Buffer.from(text) }))).source
  for (const value of [1, 2, 3]) {
    const source = await strip(`export const a: number = ${value}`)
    t.match(source, new RegExp(`^(export )?const a = ${value};`))
    t.equal(files().length, 1)
    t.equal(readFileSync(kept + files()[0], 'utf8'), source)
    t.equal(await strip(`export const a: number = ${value}`), source)
  }
})
