import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { createHeartbeat } from '../../src/pipe/heartbeat.ts'

/** A heartbeat over a clock that is turned by hand; `silence` turns it until the engine is given up. */
function start (t: Test, { timeoutMs = 0, largestGraphBytes = 0, isOpen = true } = {}) {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const engine = { isBusy: false, pings: 0, hungAfterMs: undefined as number | undefined }
  const heartbeat = createHeartbeat({
    timeoutMs,
    largestGraphBytes,
    isBusy: () => engine.isBusy,
    ping: () => { engine.pings++ },
    onHung: silentMs => { engine.hungAfterMs = silentMs }
  })
  if (isOpen) heartbeat.opened()
  const silence = () => {
    for (let ticks = 0; engine.hungAfterMs === undefined && ticks < 10_000; ticks++) mock.timers.tick(500)
    return engine.hungAfterMs
  }
  return { heartbeat, engine, silence }
}

t.test('an engine that answers lives on, and is asked again and again', async t => {
  const { heartbeat, engine } = start(t)
  for (let i = 0; i < 100; i++) {
    mock.timers.tick(500)
    heartbeat.heard()
  }
  t.equal(engine.hungAfterMs, undefined)
  t.equal(engine.pings, 100)
})

t.test('one that has nothing to do is given up after 2.5 s, once', async t => {
  const { engine, silence } = start(t)
  t.equal(silence(), 2500)
  const { pings } = engine
  mock.timers.tick(60_000)
  t.equal(engine.pings, pings)
})

t.test('one that works has 15 times its longest unit, and a minute for its first', async t => {
  const { heartbeat, engine, silence } = start(t)
  engine.isBusy = true
  heartbeat.sawUnit(400)
  heartbeat.sawUnit(10)
  t.equal(silence(), 6000)
  mock.timers.reset()

  const calm = start(t)
  calm.engine.isBusy = true
  calm.heartbeat.sawUnit(400)
  for (let i = 0; i < 2000; i++) calm.heartbeat.sawUnit(10)
  t.equal(calm.silence(), 2500, 'of late')
  mock.timers.reset()

  const first = start(t)
  first.engine.isBusy = true
  t.equal(first.silence(), 60_000)
  mock.timers.reset()

  const quick = start(t)
  quick.engine.isBusy = true
  quick.heartbeat.sawUnit(1)
  t.equal(quick.silence(), 2500)
})

t.test('a time that is set holds, whatever it does', async t => {
  const { heartbeat, engine, silence } = start(t, { timeoutMs: 30_000 })
  engine.isBusy = true
  heartbeat.sawUnit(60_000)
  t.equal(silence(), 30_000)
})

t.test('opening may take longer the larger the graphs are', async t => {
  t.equal(start(t, { isOpen: false }).silence(), 60_000)
  mock.timers.reset()
  t.equal(start(t, { isOpen: false, largestGraphBytes: 2e9, timeoutMs: 1000 }).silence(), 160_000)
})

t.test('a server that did not run itself for long asks before it judges', async t => {
  const { heartbeat, engine } = start(t)
  heartbeat.heard()
  mock.timers.tick(500) // the timers of a process that was stopped come late, and once
  t.equal(engine.hungAfterMs, undefined)
  heartbeat.stop()
  mock.timers.tick(60_000)
  t.equal(engine.hungAfterMs, undefined, 'nor after it was stopped for good')
})
