import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { answerWork, buildTestApp } from '../helper.ts'

const body = JSON.stringify({ visual_tokens: [1] })
const head =
  'POST /detokenize HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ' +
  `${body.length}\r\n\r\n`

t.test('whatever becomes of requests, none is counted for ever, and each by its end', async t => {
  let isHeld = true
  let drained = () => {}
  const app = await buildTestApp(t, {
    submit: work => (isHeld ? new Promise(() => {}) : answerWork(work, {})),
    registry: {
      close: () =>
        new Promise(resolve => {
          drained = resolve
        })
    }
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const count = async (line: string) =>
    Number(new RegExp(`^${line.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(await app.metrics.text())?.[1] ?? 0)
  const countOf = (route: string, method: string, status: number) =>
    count(`lavit_request_duration_seconds_count{route="${route}",method="${method}",status="${status}"}`)
  const open = async (text: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.resume().write(text)
    return socket
  }
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 2))
  }

  t.test('clients that leave: in the midst of the body, of the work, of others on the same connection', async t => {
    const cycles = 40
    for (const text of [head + body.slice(0, 5), head + body, (head + body).repeat(3)]) {
      const requests = text.split('POST').length - 1
      const before = await countOf('/detokenize', 'POST', 499)
      for (let i = 0; i < cycles; i++) {
        const socket = await open(text)
        await until(async () => (await count('lavit_requests_in_flight')) === requests)
        socket.destroy()
        await until(async () => (await count('lavit_requests_in_flight')) === 0)
      }
      t.equal(await countOf('/detokenize', 'POST', 499), before + cycles * requests)
    }
    t.equal(app.seen.loans, 0)
  })

  t.test('clients that leave before there is a request', async t => {
    for (let i = 0; i < 40; i++) {
      const socket = await open(head.slice(0, 30))
      socket.destroy()
      await once(socket, 'close')
    }
    t.equal(await count('lavit_requests_in_flight'), 0)
  })

  t.test('early refusals, HEAD and OPTIONS', async t => {
    isHeld = false
    const cases: [method: string, path: string, headers: object, status: number][] = [
      ['GET', '/models', { accept: 'text/html' }, 406],
      ['HEAD', '/models', {}, 200],
      ['POST', '/detokenize', { 'content-type': 'text/x' }, 415]
    ]
    for (const [method, path, headers, status] of cases) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { ...headers },
        ...(method === 'POST' && { body })
      })
      await response.arrayBuffer()
      t.equal(response.status, status)
      await until(async () => (await countOf(path, method, status)) === 1)
    }
    await fetch(`http://127.0.0.1:${port}/models`, { method: 'OPTIONS' })
    await until(async () => (await countOf('unknown', 'OPTIONS', 204)) === 1)
    await until(async () => (await count('lavit_requests_in_flight')) === 0)
    t.equal(
      (
        await fetch(`http://127.0.0.1:${port}/detokenize`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' }
        })
      ).status,
      200
    )
    await until(async () => (await countOf('/detokenize', 'POST', 200)) === 1)
  })

  t.test('refusals while the server shuts down', async t => {
    isHeld = true
    const socket = await open(head + body)
    await until(async () => app.seen.loans === 1)
    const closed = app.close()
    const late = await open('GET /models HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(late, 'close')
    t.equal(await countOf('/models', 'GET', 503), 1)
    socket.destroy()
    drained()
    await closed
    await until(async () => (await count('lavit_requests_in_flight')) === 0)
  })
})
