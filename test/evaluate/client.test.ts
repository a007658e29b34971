import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createTarget } from '../../bench/target.ts'
import { createClient, each, interrupted, RequestError } from '../../evaluate/client.ts'

/** A server that answers with each status in turn, and then with the last one. */
async function serve (t: Test, ...statuses: number[]) {
  let requests = 0
  let key: string | undefined
  const server = createServer(({ headers }, response) => {
    key = headers.authorization
    const status = statuses[Math.min(requests++, statuses.length - 1)]!
    response
      .writeHead(status, { 'retry-after': '0' })
      .end(JSON.stringify(status === 200 ? { fine: true } : { code: 'some_code', detail: 'Why' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    key: () => key
  }
}

t.test('a busy or loading server is asked again', async t => {
  const { url, requests } = await serve(t, 429, 503, 200)
  const client = createClient(url)
  t.strictSame(await client.post('/caption', {}), { fine: true })
  t.equal(requests(), 3)
})

t.test('how long it is busy may be told as a date; what is neither a number nor a date is a second', async t => {
  const asked: number[] = []
  const headers = [new Date(Date.now() + 2500).toUTCString(), '-1']
  const server = createServer((_, response) => {
    asked.push(performance.now())
    const header = headers.shift()
    if (header === undefined) response.end('{}')
    else response.writeHead(503, { 'retry-after': header }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  await createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).get('/models')
  const [first = 0, second = 0, third = 0] = asked
  t.ok(second - first > 1300, 'to the second of the date')
  t.ok(third - second > 900)
})

t.test('a key goes with every request', async t => {
  const { url, key } = await serve(t, 200)
  await createClient(url, 'secret').get('/models')
  t.equal(key(), 'Bearer secret')
  await createClient(url).post('/caption', {})
  t.equal(key(), undefined)
  const target = createTarget('one', url, { key: 'secret' })
  t.teardown(() => target.stop())
  await target.ask({ path: '/caption', type: 'application/json', body: Buffer.from('{}') })
  t.equal(key(), 'Bearer secret')
})

t.test('a server below a path is asked there', async t => {
  const server = createServer(({ url }, response) => response.end(JSON.stringify(url))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  for (const end of ['', '/']) {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/lavit${end}`
    t.equal(await createClient(url).get('/models'), '/lavit/models')
    const target = createTarget('one', url)
    t.equal((await target.get('/health/ready')).body, '"/lavit/health/ready"')
    const call = { path: '/caption?n=1', type: 'application/json', body: Buffer.from('{}') }
    t.equal((await target.ask(call)).body, '"/lavit/caption?n=1"')
    await target.stop()
  }
})

t.test('an answer that breaks off and one that is no JSON are refused requests', async t => {
  const server = createServer(({ url }, response) => {
    if (url === '/page') return response.end('<html>')
    response.writeHead(200, { 'content-length': '100' }).write('{')
    setImmediate(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await t.rejects(client.get('/broken'), { constructor: RequestError, message: /\/broken does not answer/ })
  await t.rejects(client.get('/page'), new RequestError('/page answered what is no JSON: <html>'))
})

t.test('a path of the address stays before those of requests', async t => {
  const server = createServer(({ url }, response) => response.end(JSON.stringify(url))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  t.equal(await createClient(`http://127.0.0.1:${port}/lavit/`).get('/models'), '/lavit/models')
  t.equal(await createClient(`http://127.0.0.1:${port}`).get('/models'), '/models')
})

t.test('a redirect is told, not followed', async t => {
  let requests = 0
  const server = createServer((_, response) => {
    requests++
    response.writeHead(301, { location: 'http://127.0.0.1:9/x' }).end('<html>\n</html>')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await t.rejects(client.get('/models'), new RequestError('/models answered 301 to http://127.0.0.1:9/x'))
  await t.rejects(client.post('/caption', {}), new RequestError('/caption answered 301 to http://127.0.0.1:9/x'))
  t.equal(requests, 2)
})

t.test('a wait for a busy server is given up when told', async t => {
  const server = createServer((_, response) => response.writeHead(503, { 'retry-after': '60' }).end()).listen(0)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const stop = new AbortController()
  server.once('request', (_, response) => response.once('close', () => setTimeout(() => stop.abort(), 50)))
  const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined, stop.signal)
  await t.rejects(client.get('/models'), new RequestError(interrupted))
})

t.test('a server that stays busy is given up', async t => {
  const { url, requests } = await serve(t, 503)
  const client = createClient(url)
  await t.rejects(client.get('/models'), new RequestError('/models answered 503: some_code: Why'))
  t.equal(requests(), 10)
})

t.test('other errors are not tried again', async t => {
  const { url, requests } = await serve(t, 422, 200)
  const client = createClient(url)
  await t.rejects(client.get('/models'), new RequestError('/models answered 422: some_code: Why'))
  t.equal(requests(), 1)
})

t.test('work runs so many at a time, in order, and a refused item spoils no other', async t => {
  let running = 0
  let most = 0
  let done = 0
  const results = await each(
    [0, 1, 2, 3, 4, 5, 6],
    3,
    async item => {
      most = Math.max(most, ++running)
      await turn()
      running--
      if (item === 4) throw new RequestError('refused')
      return item * 10
    },
    () => done++
  )
  t.equal(most, 3)
  t.equal(done, 7)
  t.strictSame(
    results.map(result => (result instanceof RequestError ? result.message : result)),
    [0, 10, 20, 30, 'refused', 50, 60]
  )
})

t.test('a mistake of ours is not taken for a refused request', async t => {
  await t.rejects(
    each(
      [1],
      1,
      async () => {
        throw new TypeError('ours')
      },
      () => {}
    ),
    { name: 'TypeError' }
  )
})
