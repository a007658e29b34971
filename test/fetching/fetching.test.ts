import { once, setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type RequestListener } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { ServerError } from '../../src/errors.ts'
import { createFetching, type FetchOptions } from '../../src/fetching/fetching.ts'
import { isPublic } from '../../src/fetching/addresses.ts'
import type { Network } from '../../src/fetching/network.ts'

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
const ca = fixture('certificate.pem')
const options: FetchOptions = { pointer: '/image', mostBytes: 1000, signal: new AbortController().signal, client: 'a' }
const notPublic = { code: 'invalid_field', errors: [{ pointer: '/image', message: /no public address/ }] }

/** A server of this machine that stands for any host of the internet, and who asked what. */
async function createInternet (t: Test, listener: RequestListener, { isSecure = false, timeoutMs = 5000 } = {}) {
  const asked: IncomingMessage[] = []
  const names: string[] = []
  const listen: RequestListener = (request, response) => {
    asked.push(request)
    listener(request, response)
  }
  const server = isSecure
    ? https.createServer({ key: fixture('key.pem'), cert: ca }, listen)
    : http.createServer(listen)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const network: Network = {
    async resolve (host) {
      names.push(host)
      return ['127.0.0.1']
    },
    isAllowed: address => address === '127.0.0.1' || isPublic(address),
    dial: { port: (server.address() as AddressInfo).port, ca }
  }
  const fetchFrom = (overrides: Partial<Network> = {}) => {
    const fetching = createFetching(
      { fetchImages: 'http', fetchTimeoutMs: timeoutMs, clientShare: 0.75 },
      { ...network, ...overrides }
    )!
    return async (text: string, more: Partial<typeof options> = {}) =>
      Buffer.from(await fetching.fetch(fetching.readUrl(text, '/image'), { ...options, ...more })).toString()
  }
  return { server, asked, names, fetchFrom, fetch: fetchFrom() }
}

async function closed ({ socket }: IncomingMessage) {
  if (!socket.destroyed) await new Promise(resolve => socket.once('close', resolve))
}

t.test('is nothing where it is off', async t => {
  t.equal(createFetching({ clientShare: 1, fetchImages: 'off', fetchTimeoutMs: 1 }), undefined)
})

t.test('answers the bytes, and tells the server no more than it needs', async t => {
  const { fetch, asked, names } = await createInternet(t, (_request, response) => {
    response.setHeader('set-cookie', 'a=b')
    response.end('picture')
  })
  t.equal(await fetch('http://pictures.example/a%20b.png?c=d#e'), 'picture')
  t.equal(await fetch('http://pictures.example/'), 'picture')
  t.equal(asked[0]?.url, '/a%20b.png?c=d')
  for (const { headers } of asked) {
    t.strictSame(headers, {
      accept: 'image/*',
      'accept-encoding': 'identity',
      'user-agent': 'lavit-server',
      host: headers.host,
      connection: 'close'
    })
    t.match(headers.host, /^pictures\.example/)
  }
  t.strictSame(names, ['pictures.example', 'pictures.example'], 'resolved each time, and once')
})

t.test('a server must prove its name', async t => {
  const { fetch, fetchFrom } = await createInternet(t, (_request, response) => response.end('picture'), {
    isSecure: true
  })
  t.equal(await fetch('https://pictures.example/'), 'picture')
  await t.rejects(fetch('https://other.example/'), { code: 'image_unreachable' })
  await t.rejects(fetchFrom({ dial: {} })('https://pictures.example/'), { code: 'image_unreachable' })
})

t.test('every address of a name must be public, and nothing is dialled before', async t => {
  const { asked, fetchFrom } = await createInternet(t, (_request, response) => response.end())
  for (const addresses of [
    ['10.0.0.1'], ['127.0.0.2'], ['8.8.8.8', '192.168.0.1'], ['::1', '8.8.8.8'], ['127.0.0.1', '::'],
    ['::ffff:127.0.0.2'],
    ['64:ff9b::7f00:2'], ['2002:7f00:2::'], ['::7f00:2'], ['169.254.169.254'], ['nonsense'], []
  ]) {
    const fetch = fetchFrom({ resolve: async () => addresses })
    await t.rejects(fetch('http://pictures.example/'), notPublic, addresses.join() || 'none, in the same words')
  }
  t.strictSame(asked, [])
})

t.test('a resolver that changes its answer gains nothing: the address that was checked is dialled', async t => {
  let turn = 0
  const { fetchFrom } = await createInternet(t, (_request, response) => response.end('picture'))
  const inner = await createInternet(t, (_request, response) => response.end('secret'))
  const fetch = fetchFrom({ resolve: async () => (turn++ === 0 ? ['127.0.0.1'] : ['127.0.0.2']) })
  t.equal(await fetch('http://rebinding.example/'), 'picture')
  t.equal(turn, 1, 'the name is asked for once')
  await t.rejects(fetch('http://rebinding.example/'), notPublic, 'and checked anew the next time')
  t.strictSame(inner.asked, [])
})

t.test('redirects are followed thrice, each checked', async t => {
  const { fetch, asked, fetchFrom } = await createInternet(t, (request, response) => {
    const [, kind = '', left = ''] = request.url?.split('/') ?? []
    const code = Number(kind)
    if (!code) return response.end('picture')
    const isLast = left === '1'
    response.writeHead(code, { location: isLast ? '/' : `http://other.example/${code}/${Number(left) - 1}` })
    response.end()
  })
  for (const code of [301, 302, 303, 307, 308]) t.equal(await fetch(`http://a.example/${code}/3`), 'picture', `${code}`)
  asked.length = 0
  await t.rejects(fetch('http://a.example/302/4'), { code: 'image_unreachable', message: /more than 3/ })
  t.equal(asked.length, 4)
  const resolve = async (host: string) => (host === 'other.example' ? ['10.0.0.1'] : ['127.0.0.1'])
  await t.rejects(fetchFrom({ resolve })('http://a.example/302/2'), {
    code: 'invalid_field',
    errors: [{ pointer: '/image', message: 'redirects to a URL whose host has no public address' }]
  })
})

t.test('redirects to what may not be fetched end it', async t => {
  const answer = (request: IncomingMessage) => decodeURIComponent(request.url?.slice(1) ?? '')
  const listener: RequestListener = (request, response) => response.writeHead(302, { location: answer(request) }).end()
  const plain = await createInternet(t, listener)
  const secure = await createInternet(t, listener, { isSecure: true })
  const targets = [
    'http://127.0.0.2/', 'http://0x7f000002/', 'http://2130706434/', 'http://0177.0.0.2/', 'http://[::1]/',
    'http://[::ffff:10.0.0.1]/', 'http://169.254.169.254/latest/meta-data/', 'file:///etc/passwd',
    'http://a.example:8080/', 'http://me:secret@a.example/', 'http://['
  ]
  for (const target of targets) {
    const message = /^redirects to a URL /
    const fetched = plain.fetch(`http://a.example/${encodeURIComponent(target)}`)
    await t.rejects(fetched, { code: 'invalid_field', errors: [{ pointer: '/image', message }] }, target)
  }
  t.equal(plain.asked.length, targets.length)
  await t.rejects(secure.fetch(`https://pictures.example/${encodeURIComponent('http://a.example/')}`), {
    code: 'invalid_field',
    message: /leaves https/
  })
})

t.test('other answers are told by their status', async t => {
  const { fetch } = await createInternet(t, (request, response) => {
    response.writeHead(Number(request.url?.slice(1))).end('nothing')
  })
  for (const code of [201, 204, 206, 300, 302, 304, 401, 404, 500]) {
    const message = `image could not be fetched: its server answered ${code}`
    await t.rejects(fetch(`http://a.example/${code}`), { code: 'image_unreachable', message }, `${code}`)
  }
})

t.test('bytes are counted as they come, whatever the length that is told', async t => {
  const { fetch, asked } = await createInternet(t, (request, response) => {
    if (request.url === '/full') return response.end('a'.repeat(1000))
    if (request.url === '/short') {
      response.writeHead(200, { 'content-length': 10 }).write('abc', () => response.destroy())
      return
    }
    const more = () => { while (!response.destroyed && response.write('a'.repeat(100))); }
    response.on('drain', more)
    more()
  })
  t.equal((await fetch('http://a.example/full')).length, 1000)
  await t.rejects(fetch('http://a.example/full', { mostBytes: 999 }), { code: 'too_large' })
  await t.rejects(fetch('http://a.example/endless'), { code: 'too_large' })
  await closed(asked.at(-1)!)
  await t.rejects(fetch('http://a.example/short'), { code: 'image_unreachable' })
})

t.test('one time limit holds for name, headers, drips and redirects', async t => {
  const { fetch, fetchFrom, asked } = await createInternet(
    t,
    (request, response) => {
      if (request.url === '/silent') return
      if (request.url === '/slowly') return setTimeout(() => response.writeHead(302, { location: '/slowly' }).end(), 80)
      const timer = setInterval(() => response.write('a'), 10)
      response.on('close', () => clearInterval(timer))
    },
    { timeoutMs: 200 }
  )
  const late = { code: 'image_unreachable', message: /longer than 200 ms/ }
  for (const path of ['drips', 'silent', 'slowly']) await t.rejects(fetch(`http://a.example/${path}`), late, path)
  await Promise.all(asked.map(closed))
  await t.rejects(fetchFrom({ resolve: async () => new Promise(() => {}) })('http://a.example/'), late, 'name')
})

t.test('ends with the reason of its signal, and leaves no connection', async t => {
  const { fetch, server, asked } = await createInternet(t, (_request, response) => response.write('a'))
  const controller = new AbortController()
  const reason = new Error('left')
  const fetched = fetch('http://a.example/', { signal: controller.signal })
  const ended = t.rejects(fetched, reason)
  await once(server, 'request')
  controller.abort(reason)
  await ended
  await closed(asked[0]!)
  await t.rejects(fetch('http://a.example/', { signal: controller.signal }), reason)
  t.equal(asked.length, 1)
})

t.test('a failing name server and a closed port are told as unreachable, without details', async t => {
  const { server, fetch, fetchFrom } = await createInternet(t, (_request, response) => response.end())
  const unreachable = { code: 'image_unreachable', message: 'image could not be fetched: the connection failed' }
  const resolve = async () => { throw new Error('SERVFAIL at 10.0.0.53') }
  await t.rejects(fetchFrom({ resolve })('http://a.example/'), unreachable)
  server.close()
  await t.rejects(fetch('http://a.example/'), unreachable)
})

t.test('what arrives takes its memory', async t => {
  const { fetch } = await createInternet(t, (_request, response) => response.end('12345'))
  let taken = 0
  await fetch('http://a.example/', { upload: { take: bytes => { taken += bytes } } })
  t.equal(taken, 5)
  const full = new ServerError('queue_full', 'full')
  t.equal(await fetch('http://a.example/', { upload: { take () { throw full } } }).catch(error => error), full)
})

t.test('only so many are fetched at once, and one client leaves places to others', async t => {
  const controller = new AbortController()
  setMaxListeners(32, controller.signal)
  const { fetch } = await createInternet(t, () => {})
  const { signal } = controller
  const begin = (client: string, length: number) =>
    Array.from({ length }, () => fetch('http://a.example/', { signal, client }))
  const waiting = begin('a', 24)
  await t.rejects(fetch('http://a.example/'), { code: 'queue_full', message: /this client/, retryAfterSeconds: 1 })
  for (const client of 'bcdefghi') waiting.push(...begin(client, 1))
  const ended = Promise.allSettled(waiting)
  await t.rejects(fetch('http://a.example/', { client: 'z' }), { code: 'queue_full', message: /^As many/ })
  controller.abort(new Error('left'))
  await ended
  await t.rejects(fetch('http://[', {}), { code: 'invalid_field' })
})
