import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readManifest } from '../../src/package/package.ts'
import { createEngineClient } from '../../src/pipe/engine-client.ts'
import type { EngineCounts } from '../../src/pipe/messages.ts'
import { createPool } from '../../src/registry/pool.ts'
import { createLog, engineDefaults, packageFiles, work } from '../fixtures/package.ts'

t.setTimeout(120_000) // every engine is a process of its own

/** The process that did the work of a fake engine's answer. */
const pidOf = ({ result }: { result: { pictures: { seed: number }[] } }) => result.pictures[0]?.seed

async function startPool (t: Test, engines: number) {
  const folder = join(t.testdir({ small: packageFiles('small') }), 'small')
  const { log, lines } = createLog()
  const reports: EngineCounts[] = []
  const pool = createPool({
    model: 'small',
    engines,
    log,
    onCounts: counts => reports.push(counts),
    start: async (_signal, onCounts) =>
      createEngineClient({ ...engineDefaults, log, folder, manifest: readManifest(folder), onCounts })
  })
  t.teardown(() => pool.close(0))
  await pool.opened(new AbortController().signal)
  while (lines.filter(({ message }) => message === 'model ready').length < engines) {
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return { pool, reports }
}

t.test('two engines', async t => {
  const { pool, reports } = await startPool(t, 2)

  t.test('work goes to the one with the least to do, by its cost', async t => {
    const wide = { ...work('slow'), painting: { ...work('slow').painting, width: 64, height: 64 } }
    const [first, ...others] = await Promise.all([wide, work('slow'), work('slow')].map(each => pool.submit(each)))
    t.equal(new Set(others.map(pidOf)).size, 1, 'two small works together')
    t.not(pidOf(first!), pidOf(others[0]!), 'cost less than a large one')
  })

  t.test('their counts are told together', async t => {
    await Promise.all([pool.submit(work('answeredTwice')), pool.submit(work('answeredTwice'))])
    t.match(reports.at(-1), { running: 2, slotsInUse: 4, queuedCost: 6 })
    t.strictSame(reports.at(-1)?.bus, { up: 5, down: 6, buffers: 14, held: 16 }, 'what crossed is of one report alone')
  })

  t.test('the end of one costs its own requests only, and the other goes on', async t => {
    const held = pool.submit(work('slow'))
    const fatal = pool.submit(work('fatal'))
    await t.rejects(fatal, { code: 'engine_restarting' })
    t.ok(pool.isReady())
    const survivor = pidOf(await held)
    t.equal(pidOf(await pool.submit(work('answered'))), survivor)
    t.match(reports.at(-1), { running: 1, slotsInUse: 2 }, 'what the dead one counted is gone')
  })

  t.test('closing lets the work of both finish', async t => {
    const running = Promise.all([pool.submit(work('slow')), pool.submit(work('slow'))])
    await new Promise(resolve => setImmediate(resolve))
    const closed = pool.close(60_000)
    t.equal((await running).length, 2)
    await closed
    await t.rejects(pool.submit(work('answered')), { code: 'draining' })
  })
})

t.test('a later close shortens the time of an earlier one', async t => {
  const { pool } = await startPool(t, 1)
  const held = pool.submit(work('held'))
  await new Promise(resolve => setImmediate(resolve))
  const slow = pool.close(60_000)
  const closed = pool.close(0)
  await t.rejects(held, { code: 'draining' })
  await Promise.all([slow, closed])
})

t.test('one of the engines that is full sends nobody away while another has room', async t => {
  const { pool } = await startPool(t, 2)
  const wide = { ...work('held'), painting: { ...work('held').painting, width: 64, height: 64 } }
  const waits = new AbortController()
  const all = [wide, ...Array.from({ length: 2 * engineDefaults.queueLimit - 1 }, () => work('held'))].map(each =>
    pool.submit(each, { signal: waits.signal })
  )
  await t.rejects(pool.submit(work('held')), { code: 'queue_full', retryAfterSeconds: Number })
  waits.abort(new Error('left'))
  for (const one of all) await t.rejects(one, { message: 'left' })
})
