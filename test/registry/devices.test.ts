// covers: src/registry/start-pool.ts src/registry/condition.ts
/** Models on pretended GPUs: where they come to lie, who makes room, and what becomes of devices that fail. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { unknownGpu, type Device } from '../../src/devices/device.ts'
import { createRegistry, type RegistryOptions } from '../../src/registry/registry.ts'
import { createLog, packageFiles, registryDefaults, work } from '../fixtures/package.ts'

t.setTimeout(120_000) // every engine is a process of its own

const megabyte = 2 ** 20

function gpu (number: number, memoryBytes: number, more: Partial<Device> = {}): Device {
  const environment = { VK_LOADER_DEVICE_SELECT: `card-${number}` }
  return { ...unknownGpu(), id: `webgpu:${number}`, name: `card ${number}`, memoryBytes, environment, ...more }
}

/** A package whose language model is said to have so many bytes of weights, in single precision. */
function sized (name: string, megabytes: number, description?: string) {
  const files = packageFiles(name, description)
  const manifest = JSON.parse(files['manifest.json'])
  manifest.provenance.precision = 'fp32'
  const vocabulary = Math.ceil((megabytes * megabyte) / 4 / 6) // scores of 6 rows
  manifest.language_model.vocabulary_size = vocabulary
  manifest.visual_tokenizer.codebook_size = vocabulary - manifest.ids.visual_offset
  return { ...files, 'manifest.json': JSON.stringify(manifest) }
}

function start (
  t: Test,
  models: Record<string, Record<string, string>>,
  devices: string[],
  gpus: Device[],
  options: Partial<RegistryOptions> = {}
) {
  const folder = t.testdir(models)
  const { log, lines } = createLog()
  const replaced: string[] = []
  const registry = createRegistry({
    ...registryDefaults,
    log,
    modelsFolder: folder,
    defaultModel: 'a',
    engines: 1,
    graceMs: 0,
    devices,
    probe: async () => gpus,
    tryOut: async () => ({ f16: true, fault: null }),
    onRestart: (model, device) => replaced.push(`${model} on ${device}`),
    ...options
  })
  t.teardown(() => registry.close({ graceMs: 0 }))
  return {
    registry,
    replaced,
    lines,
    placeOf: (name: string) => registry.describe(name).placement,
    states: () => Object.fromEntries(registry.list().map(({ name, state }) => [name, state])),
    /** What each engine of a model saw in its environment. */
    seen: (name: string) => readFileSync(join(folder, name, 'seen.txt'), 'utf8').trim().split('\n')
  }
}

t.test('models come to lie where most is free, and each engine sees its own card', async t => {
  const { registry, placeOf, seen } = start(
    t,
    { a: sized('a', 60), b: sized('b', 60) },
    ['webgpu', 'cpu'],
    [gpu(0, 200 * megabyte), gpu(1, 190 * megabyte)]
  )
  await registry.load('a')
  await registry.load('b')
  t.match(placeOf('a'), { wanted: 'webgpu,cpu', device: 'webgpu:0', reason: null })
  t.match(placeOf('b'), { device: 'webgpu:1', reason: null })
  t.strictSame(seen('a'), ['card-0'])
  t.strictSame(seen('b'), ['card-1'])
  const { host_bytes: host, device_bytes: device } = placeOf('a')
  t.ok(device >= 60 * megabyte && device < 62 * megabyte, 'weights and activations lie on the device')
  t.ok(host >= 128 * megabyte && host < 140 * megabyte, 'the process and its cache do not')
  t.match(await registry.listDevices(), [
    { id: 'cpu', used_bytes: 2 * host, budget_bytes: null, free_bytes: null, models: [], engines: 0 },
    {
      id: 'webgpu:0',
      f16: true,
      budget_bytes: 180 * megabyte,
      used_bytes: device,
      free_bytes: 180 * megabyte - device,
      models: ['a'],
      engines: 1
    },
    { id: 'webgpu:1', models: ['b'] }
  ])
  await registry.unload('a')
  t.match(await registry.listDevices(), [{}, { used_bytes: 0, models: [], engines: 0 }, {}])
})

t.test('a cache that a GPU cannot keep is on the account of the host', async t => {
  const models = { a: sized('a', 10), b: sized('b', 10, 'keeps on the host') }
  const { registry, placeOf } = start(t, models, ['webgpu'], [gpu(0, 1000 * megabyte)])
  for (const name of ['a', 'b']) await registry.load(name)
  const [onDevice, onHost] = [placeOf('a'), placeOf('b')]
  t.ok(onHost.host_bytes > onDevice.host_bytes)
  t.ok(onHost.device_bytes < onDevice.device_bytes)
  t.match(await registry.listDevices(), [
    { id: 'cpu', used_bytes: onDevice.host_bytes + onHost.host_bytes },
    { id: 'webgpu:0', used_bytes: onDevice.device_bytes + onHost.device_bytes }
  ])
  const full = start(t, { a: sized('a', 10, 'keeps on the host') }, ['webgpu'], [gpu(0, 1000 * megabyte)], {
    memoryBudgetMb: Math.floor(onHost.host_bytes / megabyte) // the process has room, not the cache with it
  })
  await t.rejects(full.registry.load('a'), { message: /the memory budget is too small for it/ })
})

t.test('the least recently used idle model of a device makes room there', async t => {
  const { registry, states, placeOf } = start(
    t,
    { a: sized('a', 60), b: sized('b', 60), c: sized('c', 60) },
    ['webgpu:0'],
    [gpu(0, 1000 * megabyte), gpu(1, 1000 * megabyte)],
    { deviceBudgetMb: 130 }
  )
  for (const name of ['a', 'b', 'c']) await registry.load(name)
  t.strictSame(states(), { a: 'unloaded', b: 'ready', c: 'ready' })
  t.equal(placeOf('a').device, null)
  const [b, c] = [await registry.acquire('b'), await registry.acquire('c')]
  await t.rejects(registry.acquire('a'), { message: /of webgpu:0 is taken by models in use/, retryAfterSeconds: 5 })
  for (const model of [b, c]) model.release()
})

t.test('the next device of the list takes what the first cannot', async t => {
  const { registry, placeOf, seen } = start(
    t,
    {
      a: sized('a', 200),
      b: sized('b', 10, 'lacks webgpu'),
      c: sized('c', 10, 'lacks card-0')
    },
    ['webgpu:0', 'webgpu:1', 'cpu'],
    [gpu(0, 100 * megabyte), gpu(1, 100 * megabyte, { fault: 'no driver' })]
  )
  await registry.load('a')
  const tooSmall = 'webgpu:0: the memory budget of webgpu:0 is too small for it; webgpu:1: no driver'
  t.match(placeOf('a'), { device: 'cpu', reason: tooSmall, device_bytes: 0 })
  await registry.load('b')
  t.match(placeOf('b'), { device: 'cpu', reason: /^webgpu:0: the engine cannot open .* webgpu; webgpu:1: no driver$/ })
  t.strictSame(seen('b'), ['card-0', 'nothing'])
  await registry.unload('b')
  await registry.acquire('b').then(model => model.release())
  t.strictSame(seen('b'), ['card-0', 'nothing', 'nothing'], 'a request does not try the device again')
  await registry.load('c')
  t.equal(placeOf('c').device, 'cpu')
})

t.test('an engine hears that its device has no half precision', async t => {
  const models = { a: sized('a', 10, 'needs half') }
  const gpus = [gpu(0, 900 * megabyte), gpu(1, 900 * megabyte)]
  const { registry, placeOf } = start(t, models, ['webgpu:0', 'webgpu:1'], gpus, {
    tryOut: async ({ id }) => ({ f16: id === 'webgpu:1', fault: null })
  })
  await registry.load('a')
  t.match(placeOf('a'), { device: 'webgpu:1', reason: /^webgpu:0: the engine cannot open/ })
})

t.test('where no device can, the model fails for good, and says why of each', async t => {
  const models = { a: sized('a', 10, 'lacks webgpu') }
  const { registry } = start(t, models, ['webgpu:0', 'webgpu:7'], [gpu(0, 100 * megabyte)])
  await t.rejects(registry.load('a'), {
    code: 'model_unavailable',
    message: /webgpu:0: the engine cannot open .*; webgpu:7: there is no such device; there are cpu, webgpu:0$/,
    retryAfterSeconds: undefined
  })
  t.match(registry.list(), [{ state: 'failed', device: 'webgpu:0,webgpu:7' }])
})

t.test('a GPU that is not there is told of without an engine', async t => {
  const { registry } = start(t, { a: sized('a', 10) }, ['webgpu'], [], {
    tryOut: async () => ({ f16: null, fault: 'the runtime finds no GPU' })
  })
  const none = { message: 'The model a could not be loaded: the runtime finds no GPU', retryAfterSeconds: undefined }
  await t.rejects(registry.load('a'), none)
  await t.rejects(registry.acquire('a'), none)
  t.match(await registry.listDevices(), [{ id: 'cpu' }, { id: 'webgpu:0', fault: 'the runtime finds no GPU' }])
})

t.test('auto takes hardware alone, and tries nothing else', async t => {
  const tried: string[] = []
  const software = gpu(1, 1000 * megabyte, { isSoftware: true })
  const tryOut = async ({ id }: Device) => {
    tried.push(id)
    return { f16: false, fault: null }
  }
  const gpus = [gpu(0, 100 * megabyte), software]
  const { registry, placeOf } = start(t, { a: sized('a', 10) }, ['auto'], gpus, { tryOut })
  await registry.load('a')
  t.strictSame(tried, ['webgpu:0'])
  t.equal(placeOf('a').device, 'webgpu:0')
  const { registry: plain, placeOf: plainPlaceOf } = start(t, { a: sized('a', 10) }, ['auto'], [software], { tryOut })
  await plain.load('a')
  const reason = 'webgpu:1: auto leaves out card 1, a processor that plays a GPU'
  t.match(plainPlaceOf('a'), { device: 'cpu', reason })
})

t.test('out of memory at a load ends one idle model, and the load is tried once more', async t => {
  const { registry, states, placeOf } = start(
    t,
    { a: sized('a', 10), b: sized('b', 10, 'needs room') },
    ['webgpu', 'cpu'],
    [gpu(0, 1000 * megabyte)]
  )
  await registry.load('a')
  await registry.load('b')
  t.strictSame(states(), { a: 'unloaded', b: 'ready' })
  t.equal(placeOf('b').device, 'webgpu:0')
  const { registry: alone, placeOf: alonePlaceOf } = start(
    t,
    { b: sized('b', 10, 'needs room') },
    ['webgpu', 'cpu'],
    [gpu(0, 1000 * megabyte)]
  )
  await alone.load('b')
  t.match(alonePlaceOf('b'), { device: 'cpu', reason: 'webgpu:0: too little memory' }, 'with nobody to end it goes on')
})

t.test('an engine', async t => {
  const { registry, states, seen, replaced } = start(
    t,
    { a: sized('a', 10), b: sized('b', 10) },
    ['webgpu'],
    [gpu(0, 1000 * megabyte)]
  )
  const after = async (fate: 'losing' | 'losingSilently' | 'exceeding') => {
    const model = await registry.acquire('a')
    await t.rejects(model.submit(work(fate)), { code: 'engine_restarting', retryAfterSeconds: 1 }, fate)
    await model.submit(work('answered'))
    model.release()
  }

  t.test('whose device is lost is replaced, also where only the log says so', async t => {
    await registry.load('b')
    await after('losing')
    await after('losingSilently')
    t.strictSame(seen('a'), ['card-0', 'card-0', 'card-0'])
    t.strictSame(replaced, ['a on webgpu:0', 'a on webgpu:0'])
    t.strictSame(states(), { a: 'ready', b: 'ready' })
  })

  t.test('that runs out of memory is replaced after an idle model has made room', async t => {
    await after('exceeding')
    t.strictSame(states(), { a: 'ready', b: 'unloaded' })
  })
})

t.test('a device that is lost for good is left for the next of the list, and for nothing', async t => {
  const gone = async (devices: string[], again: string) => {
    const models = { a: sized('a', 10, 'loses webgpu') }
    const { registry, lines, placeOf, seen } = start(t, models, devices, [gpu(0, 1000 * megabyte)])
    await registry.load('a')
    const model = await registry.acquire('a')
    await t.rejects(model.submit(work('losing')), { code: 'engine_restarting' })
    await t.rejects(model.submit(work('answered')), { code: again, retryAfterSeconds: Number })
    model.release()
    const tries = () => lines.filter(({ message }) => message === 'engine does not start').length
    return { registry, placeOf, seen, tries }
  }

  const { registry, placeOf, seen, tries } = await gone(['webgpu', 'cpu'], 'engine_restarting')
  const model = await registry.acquire('a')
  await model.submit(work('answered'))
  model.release()
  t.equal(tries(), 3)
  t.match(placeOf('a'), { device: 'cpu', device_bytes: 0, reason: 'webgpu:0: the device is lost' })
  t.strictSame(seen('a').at(-1), 'nothing')
  t.match(await registry.listDevices(), [{ id: 'cpu', models: ['a'] }, { id: 'webgpu:0', used_bytes: 0, models: [] }])

  const { placeOf: stayed } = await gone(['webgpu'], 'model_unavailable')
  t.match(stayed('a'), { device: 'webgpu:0', reason: null }, 'without another one it is tried again')
})

t.test('a device on which every engine dies as it opens is left for the next of the list', async t => {
  const models = { a: sized('a', 10, 'dies on webgpu') }
  const { registry, placeOf } = start(t, models, ['webgpu', 'cpu'], [gpu(0, 1000 * megabyte)])
  await registry.load('a')
  t.match(placeOf('a'), { device: 'cpu', reason: 'webgpu:0: its engine process ended at each start' })
})
