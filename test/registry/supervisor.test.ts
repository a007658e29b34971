import t, { type Test } from 'tap'
import { ServerError } from '../../src/errors.ts'
import { PackageError } from '../../src/package/package.ts'
import type { EngineClient } from '../../src/pipe/engine-client.ts'
import type { Opened } from '../../src/pipe/messages.ts'
import { restartingError } from '../../src/pipe/engine-errors.ts'
import { restartPauseMs, supervise } from '../../src/registry/supervisor.ts'
import { createLog } from '../fixtures/package.ts'

/** An engine without a process. */
function createEngine (ready: Promise<Opened> = Promise.resolve({ device: 'cpu' })) {
  let end = (_reason: string) => {}
  const ended = new Promise<string>(resolve => {
    end = resolve
  })
  return { engine: { pid: 1, ready, ended, close: async () => end('closed') } as unknown as EngineClient, end }
}

/** A supervisor over what `start` gives for its first, second, ... start, with pauses that take no time. */
function watch (t: Test, start: (index: number) => Promise<EngineClient>) {
  const pauses: number[] = []
  let starts = 0
  let restarts = 0
  let onChange = () => {}
  const supervisor = supervise({
    model: 'x',
    log: createLog().log,
    start: () => start(starts++),
    rest: async ms => {
      pauses.push(ms)
    },
    onChange: () => onChange(),
    onRestart: () => restarts++
  })
  t.teardown(() => supervisor.stop(0))
  return {
    supervisor,
    pauses,
    starts: () => starts,
    restarts: () => restarts,
    async until (is: string) {
      while (supervisor.state().is !== is) {
        await new Promise<void>(resolve => {
          onChange = resolve
        })
      }
    }
  }
}

t.test('what cannot work is started once', async t => {
  for (const error of [new PackageError('vision.onnx: missing'), new ServerError('model_unavailable', 'no device')]) {
    const { supervisor, until, starts } = watch(t, async () => {
      throw error
    })
    await until('failed')
    t.strictSame(supervisor.state(), { is: 'failed', reason: error.message })
    t.equal(starts(), 1)
  }
})

t.test("a library's words are not told", async t => {
  const { supervisor, until } = watch(t, async () => {
    throw new Error('EACCES /secret')
  })
  await until('failed')
  t.strictSame(supervisor.state(), { is: 'failed', reason: 'its files cannot be read' })
})

t.test('what ends at each start is given up after five', async t => {
  const { supervisor, until, starts, pauses } = watch(
    t,
    async () => createEngine(Promise.reject(restartingError())).engine
  )
  await until('failed')
  t.match(supervisor.state(), { reason: /ended at each start/ })
  t.equal(starts(), 5)
  t.strictSame(pauses, [0, 500, 1000, 2000])
})

t.test('what has run is started again, whatever becomes of it', async t => {
  const first = createEngine()
  const last = createEngine()
  const { supervisor, until, pauses, restarts } = watch(t, async index => {
    if (index === 0) return first.engine
    if (index < 10) {
      throw index % 2 ? new PackageError('vision.onnx: sha256 differs from the manifest') : restartingError()
    }
    return last.engine
  })
  await until('ready')
  first.end('SIGKILL')
  while (pauses.length < 10) await new Promise(resolve => setImmediate(resolve))
  await until('ready')
  t.match(supervisor.state(), { is: 'ready', engine: last.engine, device: 'cpu' })
  t.strictSame(pauses.slice(0, 4), [0, 500, 1000, 2000])
  t.equal(restarts(), 10, 'every start but the first is told')
})

t.test('stopping in the midst of a start leaves nothing', async t => {
  const { engine } = createEngine()
  let give = (_engine: EngineClient) => {}
  const { supervisor } = watch(
    t,
    () =>
      new Promise(resolve => {
        give = resolve
      })
  )
  const stopped = supervisor.stop(0)
  give(engine)
  await stopped
  t.equal(await engine.ended, 'closed')
  t.strictSame(supervisor.state(), { is: 'stopped' })
})

t.test('restarts come at once, then ever more slowly', async t => {
  t.strictSame([0, 1, 2, 3, 6, 7, 50].map(restartPauseMs), [0, 500, 1000, 2000, 16_000, 30_000, 30_000])
})
