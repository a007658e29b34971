/** Loads, unloads and requests in any order: each has an end that the errors name, and the model works after them. */
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createRegistry } from '../../src/registry/registry.ts'
import { createLog, packageFiles, registryDefaults, work } from '../fixtures/package.ts'

t.setTimeout(120_000) // every engine is a process of its own

t.test('load and unload race with requests', async t => {
  const folder = t.testdir({ small: packageFiles('small') })
  const { log } = createLog()
  const limits = { modelsFolder: folder, defaultModel: 'small', graceMs: 200, engines: 1 }
  const registry = createRegistry({ ...registryDefaults, queueLimit: 100, queueCost: 10_000, ...limits, log })
  t.teardown(() => registry.close({ graceMs: 0 }))

  async function ask () {
    const model = await registry.acquire()
    try {
      model.admit(work('answered'))
      return await model.submit(work('answered'))
    } finally {
      model.release()
    }
  }
  const steps = Array.from({ length: 60 }, async (_, i) => {
    await pause((i * 37) % 400)
    if (i % 6 === 0) return registry.load('small')
    if (i % 6 === 3) return registry.unload('small')
    return ask()
  })
  const ends = await Promise.allSettled(steps)
  const codes = ends.flatMap(end => (end.status === 'rejected' ? [end.reason.code] : []))
  const may = ['draining', 'model_loading', 'engine_restarting']
  t.strictSame(codes.filter(code => !may.includes(code)), [])
  await registry.load('small')
  t.match(await ask(), { timings: { paint: 1 } })
  await registry.unload('small')
  t.match(registry.list(), [{ state: 'unloaded' }])
})
