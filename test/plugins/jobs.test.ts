// covers: src/plugins/end.ts
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { mock } from 'node:test'
import t from 'tap'
import { buildTestApp } from '../helper.ts'

/** Work that ends with its signal alone, and the reason that it ended with. */
function untilAborted () {
  const reasons: unknown[] = []
  let begun = () => {}
  return {
    reasons,
    next: () =>
      new Promise<void>(resolve => {
        begun = resolve
      }),
    submit: (_work: unknown, { signal }: { signal?: AbortSignal | undefined }) =>
      new Promise<never>((_resolve, reject) => {
        begun()
        signal?.addEventListener('abort', () => {
          reasons.push(signal.reason)
          reject(signal.reason)
        })
      })
  }
}

t.test('a deadline ends the work with 504, or the wait for the model, and gives that back', async t => {
  const work = untilAborted()
  const app = await buildTestApp(t, { submit: work.submit })
  const asked = untilAborted()
  const loading = await buildTestApp(t, {
    registry: { acquire: (_name, signal) => asked.submit(undefined, { signal }) }
  })
  await Promise.all([app.ready(), loading.ready()])
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (const [server, { next, reasons }] of [
    [app, work],
    [loading, asked]
  ] as const) {
    const begun = next()
    const answer = server.inject({
      method: 'POST',
      url: '/detokenize',
      payload: { visual_tokens: [1], deadline_ms: 60_000 }
    })
    await begun
    mock.timers.tick(60_000)
    t.match((await answer).json(), { status: 504, code: 'deadline_exceeded' })
    t.match(reasons, [{ code: 'deadline_exceeded' }])
  }
  t.equal(app.seen.loans, 0)
})

t.test('a deadline counts from the arrival, upload included', async t => {
  const app = await buildTestApp(t)
  await app.listen({ port: 0 })
  const body = JSON.stringify({ visual_tokens: [1], deadline_ms: 30 })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(
    'POST /detokenize HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ' +
      `${body.length}\r\n\r\n`
  )
  while (!/in_flight 1/.test(await app.metrics.text())) await new Promise(resolve => setImmediate(resolve))
  await new Promise(resolve => setTimeout(resolve, 60)) // from the arrival of the head: twice the deadline
  socket.write(body)
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1\.1 504 /)
  t.strictSame(app.seen.works, [], 'nothing was begun')
})

t.test('a client that leaves ends its work', async t => {
  const work = untilAborted()
  const app = await buildTestApp(t, { submit: work.submit })
  await app.listen({ port: 0 })
  const begun = work.next()
  const controller = new AbortController()
  const answer = fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/detokenize`, {
    method: 'POST',
    body: JSON.stringify({ visual_tokens: [1], deadline_ms: 86_400_000 }),
    headers: { 'content-type': 'application/json' },
    signal: controller.signal
  })
  await begun
  controller.abort()
  await t.rejects(answer)
  while (work.reasons.length === 0) await new Promise(resolve => setImmediate(resolve))
  t.match(work.reasons, [{ code: 'request_cancelled', statusCode: 499 }])
})

t.test('closing: who outlasts the grace time, and who never sends the body, is told', async t => {
  const work = untilAborted()
  const app = await buildTestApp(t, {
    submit: work.submit,
    environment: { LAVIT_GRACE_MS: '150' },
    registry: { close: ({ graceMs }) => new Promise(resolve => setTimeout(resolve, graceMs + 50)) }
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/detokenize`
  const begun = work.next()
  const running = fetch(url, {
    method: 'POST',
    body: JSON.stringify({ visual_tokens: [1] }),
    headers: { 'content-type': 'application/json' }
  })
  await begun
  const half = connect(port, '127.0.0.1')
  half.write('POST /detokenize HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
  while (app.seen.calls.length === 0 && (await app.metrics.text()).match(/in_flight (\d)/)?.[1] !== '2') {
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  const closed = app.close()
  const [refused] = await once(half, 'data')
  t.match(String(refused), /^HTTP\/1\.1 503 [^]*"code":"draining"/)
  t.strictSame(work.reasons, [], 'the one that runs has its time')
  const answer = await running
  t.match(await answer.json(), { status: 503, code: 'draining' })
  await closed
})
