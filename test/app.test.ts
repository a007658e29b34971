import { once } from 'node:events'
import { request, Agent } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mock } from 'node:test'
import fc from 'fast-check'
import t from 'tap'
import { ServerError } from '../src/errors.ts'
import { anyBody } from './fixtures/arbitraries.ts'
import { answerWork, buildTestApp } from './helper.ts'

t.test('any JSON body gives 2xx or 4xx, never 5xx', async t => {
  const app = await buildTestApp(t)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('tokenize', 'detokenize', 'caption', 'vqa', 'generate'),
      anyBody,
      async (route, payload) => {
        const response = await app.inject({
          method: 'POST',
          url: `/${route}`,
          payload: JSON.stringify(payload),
          headers: { 'content-type': 'application/json' }
        })
        return (
          response.statusCode < 500 && (response.statusCode === 200 || response.json().status === response.statusCode)
        )
      }
    ),
    { numRuns: 200 }
  )
  t.equal(app.seen.loans, 0)
})

/** Sends a request over a socket; resolves with status, headers and body. */
async function send (port: number, { agent, signal }: { agent?: Agent; signal?: AbortSignal } = {}) {
  const body = JSON.stringify({ visual_tokens: [1] })
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/detokenize',
    agent,
    signal,
    headers: { 'content-type': 'application/json', 'content-length': body.length }
  }).end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode as number, headers: response.headers, text }
}

t.test('over a socket', async t => {
  let running = (_signal: AbortSignal) => {}
  let finish = () => {}
  let ask = () => {}
  let closing = Promise.resolve()
  const asked = new Promise<void>(resolve => {
    ask = resolve
  })
  const start = () =>
    new Promise<AbortSignal>(resolve => {
      running = resolve
    })
  const app = await buildTestApp(t, {
    environment: { LAVIT_GRACE_MS: '60000' }, // what runs while the server closes is not to end by it
    submit: (work, { signal }) =>
      new Promise((resolve, reject) => {
        signal!.addEventListener('abort', () => reject(new ServerError('request_cancelled', 'gone')))
        finish = () => resolve(answerWork(work, {}))
        running(signal!)
      }),
    registry: {
      async close () {
        ask()
        await closing
      }
    }
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo

  await t.test('work goes on after the body has been read', async t => {
    const started = start()
    const answer = send(port)
    const signal = await started
    await new Promise(resolve => setTimeout(resolve, 50))
    t.notOk(signal.aborted)
    finish()
    t.equal((await answer).status, 200)
    t.notOk(signal.aborted)
  })

  await t.test('a client that leaves stops its work', async t => {
    const started = start()
    const controller = new AbortController()
    const answer = send(port, { signal: controller.signal })
    const signal = await started
    controller.abort()
    await t.rejects(answer, { name: 'AbortError' })
    if (!signal.aborted) await once(signal, 'abort')
    await new Promise(resolve => setImmediate(resolve))
    t.equal(app.seen.loans, 0)
  })

  await t.test('closing finishes what runs and takes nothing new', async t => {
    const started = start()
    const answer = send(port)
    await started
    let drained = () => {}
    closing = new Promise(resolve => {
      drained = resolve
    })
    const closed = app.close()
    await asked
    const late = await send(port)
    t.match(late, { status: 503, headers: { connection: 'close', 'retry-after': '1' } })
    t.equal(JSON.parse(late.text).code, 'draining')
    finish()
    drained()
    t.equal((await answer).status, 200)
    await closed
  })
})

t.test('a drain may take as long as the grace time', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let drained = () => {}
  const app = await buildTestApp(t, {
    environment: { LAVIT_GRACE_MS: '60000' },
    registry: {
      close () {
        setImmediate(() => {
          mock.timers.tick(60_000)
          drained()
        })
        return new Promise<void>(resolve => {
          drained = resolve
        })
      }
    }
  })
  await app.ready()
  await t.resolves(app.close())
})
