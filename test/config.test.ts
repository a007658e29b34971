import { readFileSync } from 'node:fs'
import t from 'tap'
import { Environment, readConfig } from '../src/config.ts'

t.test('defaults hold where nothing is set', async t => {
  t.match(readConfig({}, '/srv'), { host: '127.0.0.1', port: 8080, modelsFolder: '/srv/models', defaultModel: 'lavit-mini', device: 'cpu', imageFormats: ['png', 'jpeg', 'webp', 'gif', 'avif'], adminKey: undefined })
})

t.test('text becomes numbers and lists, and the result is frozen', async t => {
  const config = readConfig({ PORT: '0', LAVIT_MODELS: '/data', LAVIT_IMAGE_FORMATS: 'png,svg', UNRELATED: 'x' }, '/srv')
  t.match(config, { port: 0, modelsFolder: '/data', imageFormats: ['png', 'svg'] })
  t.ok(Object.isFrozen(config))
  t.notOk('UNRELATED' in config)
})

for (const [name, value] of [['PORT', 'x'], ['PORT', '70000'], ['LAVIT_DEVICE', 'tpu'], ['LAVIT_IMAGE_FORMATS', 'tiff'], ['LAVIT_ADMIN_KEY', 'short'], ['LOG_LEVEL', 'loud']] as const) {
  t.test(`${name}=${value} is refused by name`, async t => {
    t.throws(() => readConfig({ [name]: value }, '/'), { message: new RegExp(name) })
  })
}

t.test('the README lists exactly the variables', async t => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const table = readme.slice(readme.indexOf('<!-- variables -->'), readme.indexOf('<!-- /variables -->'))
  t.strictSame([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name), Object.keys(Environment.properties))
})
