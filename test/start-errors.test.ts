import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../src/config/config.ts'
import { StartError } from '../src/config/variables.ts'
import { ServerError } from '../src/errors.ts'
import {
  checkBatches, checkModels, checkStart, explainListenError, explainLoadError, tellTogether
} from '../src/start-errors.ts'

const config = readConfig({}, '/srv')

t.test('the folder of batches is made, or can be to blame', async t => {
  const folder = t.testdir()
  checkBatches({ batchFolder: join(folder, 'a/b') })
  t.ok(existsSync(join(folder, 'a/b')))
  for (const batchFolder of [join(import.meta.filename, 'x'), '/proc/x', '/proc/x/y', '/proc']) {
    t.throws(() => checkBatches({ batchFolder }), {
      message: /^LAVIT_BATCH_DIR=".*" is not allowed; allowed is a folder that can be written$/,
      exitCode: 78
    })
  }
})

t.test('the folder of models and the default model are looked for', async t => {
  const folder = t.testdir({
    empty: { 'no-package': {} },
    two: { a: { 'manifest.json': '{}' }, b: { 'manifest.json': '{}' } }
  })
  const check = (environment: Record<string, string>) => () => checkModels(readConfig(environment, folder))
  t.throws(
    check({ LAVIT_MODELS: '/nope' }),
    new StartError('LAVIT_MODELS="/nope" is not allowed; allowed is a folder that can be read')
  )
  t.throws(check({ LAVIT_MODELS: import.meta.filename }), {
    message: /^LAVIT_MODELS=".*" is not allowed; allowed is a folder that can be read$/
  })
  t.throws(check({ LAVIT_MODELS: 'empty' }), {
    message: /^LAVIT_MODELS=".*empty" is not allowed; allowed is a folder that holds model packages/
  })
  t.throws(check({ LAVIT_MODELS: 'two' }), {
    message: `LAVIT_MODEL="lavit-mini" is not allowed; allowed is a package of ${join(folder, 'two')}: a, b`,
    exitCode: 78
  })
  t.doesNotThrow(check({ LAVIT_MODELS: 'two', LAVIT_MODEL: 'b' }))
})

t.test('what is wrong is told at once, each in its line', async t => {
  const environment = { LAVIT_MODELS: '/nope', LAVIT_BATCH_DIR: '/proc/x', LAVIT_KEYS_FILE: '/nope.json' }
  t.throws(() => checkStart(readConfig(environment, '/')), {
    message: new RegExp(
      '^LAVIT_MODELS="/nope" is not allowed; .*\n' +
        'LAVIT_BATCH_DIR="/proc/x" is not allowed; .*\n' +
        'LAVIT_KEYS_FILE="/nope.json" cannot be used: it cannot be read \\(ENOENT\\)$'
    ),
    exitCode: 78
  })
  const folder = t.testdir({ models: { 'lavit-mini': { 'manifest.json': '{}' } } })
  t.doesNotThrow(() => checkStart(readConfig({ LAVIT_MODELS: 'models' }, folder)))

  const [used, absent] = [new StartError('PORT=1 is in use', 1), new StartError('HOST="x" is not allowed')]
  t.throws(() => tellTogether([used, used]), { message: 'PORT=1 is in use', exitCode: 1 })
  t.throws(() => tellTogether([used, absent]), { message: `${used.message}\n${absent.message}`, exitCode: 78 })
  const fault = new TypeError('x')
  t.throws(() => tellTogether([used, fault]), fault)
  t.doesNotThrow(() => tellTogether([]))
})

for (const [code, name, exitCode] of [
  ['EADDRINUSE', 'PORT', 1],
  ['EACCES', 'PORT', 78],
  ['EADDRNOTAVAIL', 'HOST', 78],
  ['EAFNOSUPPORT', 'HOST', 78],
  ['ENOTFOUND', 'HOST', 78],
  ['EAI_AGAIN', 'HOST', 78]
] as const) {
  t.test(`${code} is told as ${name}`, async t => {
    const error = explainListenError(
      Object.assign(new Error('x'), {
        code,
        syscall: code.startsWith('EA') && code !== 'EAI_AGAIN' ? 'listen' : 'getaddrinfo'
      }),
      config
    )
    t.match(error, { message: new RegExp(`^${name}=.* allowed is `), exitCode })
  })
}

t.test('another fault of listening stays what it is', async t => {
  const fault = Object.assign(new Error('x'), { code: 'EMFILE', syscall: 'listen' })
  t.equal(explainListenError(fault, config), fault)
})

t.test('a default model that cannot be loaded ends the server, one that may be loaded later does not', async t => {
  t.match(explainLoadError(new ServerError('model_unavailable', 'no device'), config), {
    message: 'LAVIT_MODEL="lavit-mini" cannot be served on LAVIT_DEVICE="cpu": no device',
    exitCode: 78
  })
  t.equal(
    explainLoadError(new ServerError('model_unavailable', 'no room', { retryAfterSeconds: 5 }), config),
    undefined
  )
  t.equal(explainLoadError(new ServerError('draining', 'stopped meanwhile'), config), undefined)
  const fault = new TypeError('x')
  t.equal(explainLoadError(fault, config), fault)
})
