// covers: src/registry/budget.ts src/registry/describe.ts src/registry/failure.ts src/registry/model.ts
// covers: src/registry/open-model.ts
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Manifest } from '../../src/package/manifest.ts'
import { createRegistry, type RegistryOptions } from '../../src/registry/registry.ts'
import { createLog, packageFiles, registryDefaults, work } from '../fixtures/package.ts'

t.setTimeout(120_000) // every engine is a process of its own

t.test('lists every package of the folder, bad ones too, and nothing else', async t => {
  const { registry } = startRegistry(t, {
    small: packageFiles('small'),
    broken: { 'manifest.json': '{}' },
    recipe: { 'train.py': '' },
    'README.md': ''
  })
  t.equal(registry.defaultModel, 'small')
  const placement = { wanted: 'cpu', device: null, host_bytes: 0, device_bytes: 0, reason: null }
  t.strictSame(registry.list(), [
    { name: 'broken', family: 'unknown', version: 'unknown', state: 'failed', device: 'cpu', placement },
    { name: 'small', family: 'lavit', version: '1.2.3', state: 'unloaded', device: 'cpu', placement }
  ])
  t.match(registry.describe('small'), {
    detail: null,
    limits: { grid: { rows: 2, columns: 2 }, sizes: ['8x8'] },
    tasks: { caption: { max_tokens: 20 } },
    digests: { 'vision.data': /^[0-9a-f]{64}$/ },
    quality: { caption_accuracy: 0.9 },
    concepts: ['dog']
  })
  t.match(registry.describe('broken'), { detail: /^manifest\.json: / })
  t.throws(() => registry.describe('none'), { code: 'model_not_found' })
  await t.rejects(registry.acquire('../small'), { code: 'model_not_found' })
  await t.rejects(registry.acquire('broken'), { code: 'model_unavailable', statusCode: 503 })
})

t.test('a model', async t => {
  const { registry, folder } = startRegistry(t, { small: packageFiles('small') })
  const starts = () => readFileSync(join(folder, 'small/starts.txt'), 'utf8').trim().split('\n')
  const state = () => registry.describe('small').state

  t.test('is loaded once for all who ask at the same time', async t => {
    const asked = Promise.all([
      registry.acquire(),
      registry.acquire('small'),
      registry.load('small'),
      registry.acquire()
    ])
    t.equal(state(), 'loading')
    const [first, second, , third] = await asked
    t.equal(starts().length, 1)
    t.match(registry.list(), [{ state: 'ready', device: 'cpu' }])
    t.match(await first.submit(work('answered')), { timings: { paint: 1 } })
    t.strictSame(first.text.encode('a dog'), [1, 2])
    for (const model of [first, second, third]) model.release()
  })

  t.test('that dies fails its requests, is restarted at once, and answers the next one', async t => {
    const model = await registry.acquire()
    const [held, fatal] = [model.submit(work('held')), model.submit(work('fatal'))]
    await t.rejects(held, { code: 'engine_restarting', retryAfterSeconds: 1 })
    t.equal(state(), 'restarting')
    await t.rejects(fatal, { code: 'engine_restarting' })
    await model.submit(work('answered'))
    model.release()
    const next = await registry.acquire()
    await next.submit(work('answered'))
    next.release()
    t.equal(starts().length, 2)
  })

  t.test('killed while idle answers the next request too, whether the end was noticed or not', async t => {
    const model = await registry.acquire()
    await model.submit(work('answered'))
    process.kill(Number(starts().at(-1)), 'SIGKILL')
    await model.submit(work('answered'))
    const before = starts().length
    process.kill(Number(starts().at(-1)), 'SIGKILL')
    while (state() === 'ready') await new Promise(resolve => setTimeout(resolve, 5))
    await model.submit(work('answered'))
    t.equal(starts().length, before + 1)
    model.release()
  })

  t.test('ends with its signal also while an engine is restarted', async t => {
    const model = await registry.acquire()
    await t.rejects(model.submit(work('fatal')), { code: 'engine_restarting' })
    const reason = new Error('late')
    await t.rejects(model.submit(work('answered'), { signal: AbortSignal.abort(reason) }), reason)
    await model.submit(work('answered'))
    model.release()
  })

  t.test('is unloaded after its requests, and loaded again by the next', async t => {
    const model = await registry.acquire()
    const slow = model.submit(work('slow'))
    await new Promise(resolve => setImmediate(resolve))
    const unloaded = registry.unload('small')
    t.equal(state(), 'unloaded')
    const next = registry.acquire()
    await slow
    await unloaded
    t.match(await (await next).submit(work('answered')), { timings: { paint: 1 } })
    model.release()
  })

  t.test('is not there after an unload in the midst of a load', async t => {
    await registry.unload('small')
    const loading = registry.load('small')
    const unloaded = registry.unload('small')
    await t.rejects(loading, { code: 'draining' })
    await unloaded
    t.equal(state(), 'unloaded')
  })
})

t.test('a model that cannot be loaded is failed, and can be tried again', async t => {
  const { registry, folder, lines, starts } = startRegistry(
    t,
    {
      small: packageFiles('small'),
      deaf: packageFiles('deaf', 'lacks the device'),
      dying: packageFiles('dying', 'dies while it opens')
    },
    { devices: ['webgpu'], probe: async () => [], tryOut: async () => ({ f16: null, fault: null }) }
  )

  t.test('a wrong digest', async t => {
    const painter = join(folder, 'small/painter.onnx')
    const right = readFileSync(painter)
    writeFileSync(painter, String(right).toUpperCase())
    await t.rejects(registry.acquire(), {
      code: 'model_unavailable',
      message: /small could not be loaded: painter\.onnx: sha256 differs/
    })
    t.match(registry.describe('small'), { state: 'failed', detail: /^painter\.onnx: / })
    t.match(lines.at(-1), { level: 'error', message: 'model failed', fields: { model: 'small' } })
    writeFileSync(painter, right)
    await t.rejects(registry.acquire(), { code: 'model_unavailable', retryAfterSeconds: undefined }, 'not by a request')
    await registry.load('small')
    t.match(registry.describe('small'), { state: 'ready', detail: null })
  })

  t.test('a tokenizer that is none', async t => {
    await registry.unload('small')
    const files = packageFiles('small')
    const manifest = JSON.parse(files['manifest.json'])
    manifest.tokenizer = { ...manifest.graphs.painter }
    writeFileSync(join(folder, 'small/manifest.json'), JSON.stringify(manifest))
    await t.rejects(registry.load('small'), { code: 'model_unavailable', message: /painter\.onnx: not JSON/ })
  })

  t.test('a missing device, for good', async t => {
    const reason = 'the engine cannot open its graph vision on the device webgpu'
    await t.rejects(registry.acquire('deaf'), {
      code: 'model_unavailable',
      message: `The model deaf could not be loaded: ${reason}`,
      retryAfterSeconds: undefined
    })
    t.match(registry.describe('deaf'), { state: 'failed', detail: reason })
    t.ok(
      lines.some(({ fields }) => 'detail' in fields && fields.detail === 'Load model from /somewhere failed'),
      'the cause is in the log'
    )
    await t.rejects(registry.acquire('deaf'), { code: 'model_unavailable', retryAfterSeconds: undefined })
    t.equal(starts('deaf').length, 1, 'a request does not try again')
    await t.rejects(registry.load('deaf'), { code: 'model_unavailable' })
    t.equal(starts('deaf').length, 2, 'a load does')
  })

  t.test('an engine that dies at each start, after a few', async t => {
    await t.rejects(registry.acquire('dying'), {
      code: 'model_unavailable',
      message: /ended at each start/,
      retryAfterSeconds: undefined
    })
    t.equal(registry.describe('dying').state, 'failed')
    t.equal(starts('dying').length, 5)
  })
})

t.test('fewer slots than plain requests need are warned of', async t => {
  for (const [slots, warns] of [[1, true], [5, false]] as const) {
    const { registry, lines } = startRegistry(t, { small: packageFiles('small') }, { slots })
    await registry.load('small')
    t.equal(lines.some(({ message }) => /^LAVIT_SLOTS is less than/.test(message)), warns, `${slots}`)
  }
})

t.test('a link to a package is refused', async t => {
  const folder = t.testdir({ elsewhere: { small: packageFiles('small') }, models: {} })
  symlinkSync(join(folder, 'elsewhere/small'), join(folder, 'models/small'))
  const { log } = createLog()
  const registry = createRegistry({
    ...registryDefaults,
    log,
    modelsFolder: join(folder, 'models'),
    engines: 1,
    defaultModel: 'small',
    graceMs: 0
  })
  await t.rejects(registry.acquire(), { code: 'model_unavailable', message: /not a folder of its own/ })
})

t.test('where keys of packages are given, one that they have not signed is failed until it is signed', async t => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { registry, folder } = startRegistry(t, { small: packageFiles('small') }, { packageKeys: [publicKey] })
  t.match(registry.list(), [{ name: 'small', version: 'unknown', state: 'failed' }])
  t.match(registry.describe('small'), { detail: 'manifest.json.sig: missing' })
  await t.rejects(registry.load('small'), {
    code: 'model_unavailable',
    message: 'The model small could not be loaded: manifest.json.sig: missing'
  })
  t.equal(registry.describe('small').state, 'failed')
  const manifest = readFileSync(join(folder, 'small/manifest.json'))
  writeFileSync(join(folder, 'small/manifest.json.sig'), sign(null, manifest, privateKey))
  await registry.load('small')
  t.match(registry.describe('small'), { state: 'ready', version: '1.2.3', detail: null })
  await registry.unload('small')
  writeFileSync(join(folder, 'small/manifest.json'), `${manifest} `)
  await t.rejects(registry.load('small'), { message: /manifest\.json\.sig: no key of LAVIT_PACKAGE_KEYS has signed/ })
})

t.test('within its memory budget', async t => {
  const { registry, folder } = startRegistry(
    t,
    {
      one: packageFiles('one'),
      two: packageFiles('two'),
      three: packageFiles('three')
    },
    { memoryBudgetMb: 300, defaultModel: 'two' }
  ) // two models of no size at all, with a process each
  const states = () => Object.fromEntries(registry.list().map(({ name, state }) => [name, state]))
  const pids = (name: string) =>
    readFileSync(join(folder, name, 'starts.txt'), 'utf8')
      .trim()
      .split('\n')
      .map(Number)

  t.notOk(registry.canTakeWork(), 'never loaded')
  const one = await registry.acquire('one')
  const two = await registry.acquire('two')
  await t.rejects(
    registry.acquire('three'),
    { code: 'model_unavailable', retryAfterSeconds: Number },
    'models in use stay'
  )
  t.strictSame(states(), { one: 'ready', two: 'ready', three: 'unloaded' })
  one.release()
  two.release()
  two.release()
  const again = await registry.acquire('one')
  again.release()
  const three = await registry.acquire('three')
  t.strictSame(states(), { one: 'ready', two: 'unloaded', three: 'ready' }, 'the least recently used one went')
  t.throws(() => process.kill(pids('two')[0]!, 0), { code: 'ESRCH' }, 'and its process with it')
  t.ok(registry.canTakeWork(), 'the default model went, and is loaded again by a request for it')
  three.release()
  const back = await registry.acquire()
  t.strictSame(states(), { one: 'unloaded', two: 'ready', three: 'ready' })
  back.release()
  await registry.unload('two')
  t.notOk(registry.canTakeWork(), 'unloaded by hand')

  const { registry: tiny } = startRegistry(t, { one: packageFiles('one') }, { memoryBudgetMb: 64 })
  await t.rejects(tiny.acquire('one'), { code: 'model_unavailable', message: /budget is too small/ })
  t.equal(tiny.describe('one').state, 'failed')

  const automatic = { memoryBudgetMb: 300, engines: 0, machine: { cores: 4, memory: 2 ** 36 } }
  const { registry: narrow } = startRegistry(t, { one: packageFiles('one') }, automatic)
  await narrow.load('one')
  t.match(narrow.list(), [{ state: 'ready' }], 'a number of engines that nobody named keeps to it')

  const files = packageFiles('one')
  const manifest = JSON.parse(files['manifest.json']) as Manifest
  manifest.language_model.max_length = 2 ** 20 // keys and values of 32 MiB for each sequence
  const { registry: deep } = startRegistry(
    t,
    { one: { ...files, 'manifest.json': JSON.stringify(manifest) } },
    { memoryBudgetMb: 200 }
  )
  await t.rejects(
    deep.acquire('one'),
    { code: 'model_unavailable', message: /budget is too small/ },
    'the KV cache counts'
  )
})

t.test('closing lends no more and waits for what is lent', async t => {
  const { registry, folder } = startRegistry(t, { small: packageFiles('small'), other: packageFiles('other') })
  const model = await registry.acquire()
  const closed = registry.close({ graceMs: 5000 })
  await t.rejects(registry.acquire(), { code: 'draining', statusCode: 503, retryAfterSeconds: Number })
  await t.rejects(registry.load('other'), { code: 'draining' })
  await model.submit(work('slow'))
  model.release()
  await closed
  t.throws(() => process.kill(Number(readFileSync(join(folder, 'small/starts.txt'), 'utf8')), 0), { code: 'ESRCH' })
  await t.rejects(model.submit(work('answered')), { code: 'draining' })
})

t.test('closing ends what outlasts the grace time', async t => {
  const { registry } = startRegistry(t, { small: packageFiles('small') })
  const model = await registry.acquire()
  const held = model.submit(work('held'))
  await new Promise(resolve => setImmediate(resolve))
  const closed = registry.close({ graceMs: 20 })
  await t.rejects(held, { code: 'draining' })
  await closed
})

t.test('an engine that keeps dying is restarted ever more slowly, and those who ask are told', async t => {
  const { registry } = startRegistry(t, { small: packageFiles('small', 'dies at every start but the first') })
  const model = await registry.acquire()
  await t.rejects(model.submit(work('fatal')), { code: 'engine_restarting' })
  model.release()
  let told: unknown
  while (told === undefined) {
    told = await Promise.race([
      registry.acquire().catch(error => error),
      new Promise(resolve => setTimeout(resolve, 300))
    ])
  }
  t.match(told, { code: 'engine_restarting', statusCode: 503, retryAfterSeconds: Number })
  t.equal(registry.describe('small').state, 'restarting')
  await registry.unload('small')
  t.equal(registry.describe('small').state, 'unloaded', 'and a restart that waits can be called off')
})

t.test('a package that was put in the place of another', async t => {
  const { registry, folder, starts } = startRegistry(t, { small: packageFiles('small') })
  const put = (version: string, tokenizer: string, digest = createHash('sha256').update(tokenizer).digest('hex')) => {
    const manifest = JSON.parse(packageFiles('small')['manifest.json'])
    Object.assign(manifest, { version })
    Object.assign(manifest.tokenizer, { sha256: digest, bytes: Buffer.byteLength(tokenizer) })
    writeFileSync(join(folder, 'small/tokenizer.json'), tokenizer)
    writeFileSync(join(folder, 'small/manifest.json'), JSON.stringify(manifest))
  }
  const tokenizer = readFileSync(join(folder, 'small/tokenizer.json'), 'utf8')
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise(resolve => setTimeout(resolve, 10))
  }
  await registry.load('small')

  t.test('is opened when the engine of that one has ended', async t => {
    put('1.2.4', `${tokenizer} `)
    process.kill(starts('small').at(-1)!, 'SIGKILL')
    await until(() => registry.describe('small').version === '1.2.4' && registry.describe('small').state === 'ready')
    const model = await registry.acquire()
    t.equal(model.manifest.version, '1.2.4')
    await model.submit(work('answered'))
    model.release()
  })

  t.test('is not, where it is not whole; a load says so, and a later one takes it up', async t => {
    put('1.2.5', `${tokenizer}  `, '0'.repeat(64))
    process.kill(starts('small').at(-1)!, 'SIGKILL')
    await until(() => registry.describe('small').detail !== null)
    t.match(registry.describe('small'), { state: 'restarting', version: '1.2.4' })
    await t.rejects(registry.load('small'), { code: 'model_unavailable', message: /tokenizer\.json: sha256 differs/ })
    put('1.2.6', `${tokenizer}   `)
    await registry.load('small')
    t.match(registry.describe('small'), { state: 'ready', version: '1.2.6', detail: null })
  })
})

t.test('a load waits for an engine that is started again', async t => {
  const { registry, starts } = startRegistry(t, { small: packageFiles('small') })
  await registry.load('small')
  process.kill(starts('small').at(-1)!, 'SIGKILL')
  while (registry.describe('small').state === 'ready') await new Promise(resolve => setTimeout(resolve, 5))
  await registry.load('small')
  t.equal(registry.describe('small').state, 'ready')
})

function startRegistry (
  t: Test,
  files: Record<string, Record<string, string> | string>,
  options: Partial<RegistryOptions> = {}
) {
  const folder = t.testdir(files)
  const { log, lines } = createLog()
  const registry = createRegistry({
    ...registryDefaults,
    log,
    modelsFolder: folder,
    engines: 1,
    defaultModel: 'small',
    graceMs: 5000,
    ...options
  })
  t.teardown(() => registry.close({ graceMs: 0 }))
  const starts = (name: string) =>
    readFileSync(join(folder, name, 'starts.txt'), 'utf8')
      .trim()
      .split('\n')
      .map(Number)
  return { registry, folder, lines, starts }
}
