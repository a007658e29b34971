// covers: src/plugins/origins.ts
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { buildTestApp, png } from '../helper.ts'

const jobs = { method: 'POST', url: '/caption', payload: png, headers: { 'content-type': 'image/png' } } as const

t.test('answers say what they depend on, and that jobs are not kept', async t => {
  const app = await buildTestApp(t)
  t.match((await app.inject(jobs)).headers, { vary: 'Accept, Accept-Encoding', 'cache-control': 'no-store' })
  t.match((await app.inject({ ...jobs, payload: '' })).headers, {
    vary: 'Accept, Accept-Encoding',
    'cache-control': 'no-store'
  })
  t.match((await app.inject('/nope')).headers, { 'cache-control': 'no-store' })
  t.match((await app.inject('/metrics')).headers, { vary: 'Accept-Encoding', 'cache-control': 'no-store' })
})

t.test('documents have a strong ETag for each form, and 304', async t => {
  const app = await buildTestApp(t)
  for (const url of ['/openapi.json', '/openapi.generators.json']) {
    const get = (headers: Record<string, string> = {}) => app.inject({ url, headers })
    const plain = await get()
    const [br, gzip] = [await get({ 'accept-encoding': 'gzip, deflate, br' }), await get({ 'accept-encoding': 'gzip' })]
    t.match(
      [plain, br, gzip].map(({ headers }) => headers['content-encoding']),
      [undefined, 'br', 'gzip']
    )
    t.equal(brotliDecompressSync(br.rawPayload).toString(), plain.body)
    t.equal(gunzipSync(gzip.rawPayload).toString(), plain.body)
    t.match((await get({ 'accept-encoding': '*' })).headers, { etag: br.headers.etag, 'content-encoding': 'br' })
    const tags = [plain, br, gzip].map(({ headers }) => String(headers.etag))
    t.equal(new Set(tags).size, 3)
    for (const tag of tags) t.match(tag, /^"[\w-]+"$/)
    t.match(plain.headers, {
      'cache-control': 'no-cache',
      vary: 'Accept, Accept-Encoding',
      'content-type': /^application\/json/
    })
    for (const known of [tags[0], `"x", W/${tags[0]}`, '*']) {
      const again = await get({ 'if-none-match': String(known) })
      t.match(
        again,
        { statusCode: 304, body: '', headers: { etag: String(tags[0]), 'cache-control': 'no-cache' } },
        String(known)
      )
    }
    t.equal((await get({ 'if-none-match': String(tags[1]) })).statusCode, 200, 'those are other bytes')
    t.equal((await get({ 'if-none-match': '"x"' })).statusCode, 200)
  }
})

t.test('JSON, style sheets and metrics are compressed; pictures and what is short are not', async t => {
  const app = await buildTestApp(t)
  const encodingOf = async (url: string, accept: string, request = {}) =>
    (await app.inject({ url, ...request, headers: { 'accept-encoding': accept, ...request } })).headers[
      'content-encoding'
    ]
  for (const url of ['/docs/json', '/metrics', '/docs/static/swagger-ui.css']) {
    t.equal(await encodingOf(url, 'br, gzip'), 'br', url)
    t.equal(await encodingOf(url, 'gzip'), 'gzip', url)
    t.equal(await encodingOf(url, 'identity'), undefined, url)
  }
  t.equal(await encodingOf('/health/live', 'br'), undefined)
  const paint = (accept: string) =>
    app.inject({
      method: 'POST',
      url: '/generate',
      payload: { prompt: 'a dog', n: accept === 'application/json' ? 8 : 1 },
      headers: { accept, 'accept-encoding': 'br, gzip' }
    })
  t.equal((await paint('image/png')).headers['content-encoding'], undefined)
  const json = await paint('application/json')
  t.equal(json.headers['content-encoding'], 'br')
  t.equal(JSON.parse(brotliDecompressSync(json.rawPayload).toString()).images.length, 8)
})

t.test('HEAD answers like GET, without a body', async t => {
  const app = await buildTestApp(t)
  for (const url of ['/health/live', '/models', '/models/lavit-mini', '/metrics', '/openapi.json', '/docs']) {
    const [head, get] = [await app.inject({ method: 'HEAD', url }), await app.inject({ url })]
    t.match(
      head,
      { statusCode: get.statusCode, body: '', headers: { 'content-type': get.headers['content-type'] } },
      url
    )
  }
})

t.test('HEAD tells no length but that of GET', async t => {
  const app = await buildTestApp(t)
  for (const url of ['/metrics', '/openapi.json', '/health/live', '/docs/json']) {
    for (const coding of ['br', 'gzip', 'identity']) {
      const headers = { 'accept-encoding': coding }
      const told = (await app.inject({ method: 'HEAD', url, headers })).headers['content-length']
      const { rawPayload } = await app.inject({ url, headers })
      if (url === '/metrics' && coding === 'identity') continue // they grow from one to the next
      t.ok(told === undefined || Number(told) === rawPayload.length, `${url} ${coding} ${told}`)
    }
  }
  const headers = { 'accept-encoding': 'identity' }
  t.ok((await app.inject({ method: 'HEAD', url: '/openapi.json', headers })).headers['content-length'])
})

t.test('pages of other origins', async t => {
  const origin = 'https://page.example'
  const preflight = {
    method: 'OPTIONS',
    url: '/caption',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
  } as const

  t.test('are let in by nobody unless they are configured', async t => {
    const app = await buildTestApp(t)
    for (const answer of [
      await app.inject({ ...jobs, headers: { ...jobs.headers, origin } }),
      await app.inject(preflight)
    ]) {
      t.strictSame(
        Object.keys(answer.headers).filter(name => name.startsWith('access-control')),
        []
      )
    }
  })

  t.test('may call and read what they need', async t => {
    const app = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: `https://other.example,${origin}` } })
    const answer = await app.inject({ ...jobs, headers: { ...jobs.headers, origin } })
    t.match(answer.headers, {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'x-request-id, Server-Timing, Retry-After, RateLimit, RateLimit-Policy, x-seed',
      vary: 'Origin, Accept, Accept-Encoding'
    })
    t.match(
      (await app.inject({ ...jobs, payload: '', headers: { ...jobs.headers, origin } })).headers,
      { 'access-control-allow-origin': origin },
      'errors can be read, too'
    )
    t.match(await app.inject(preflight), {
      statusCode: 204,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, HEAD, POST',
        'access-control-allow-headers': 'content-type',
        'x-request-id': String
      }
    })
    t.equal(
      (await app.inject({ ...preflight, headers: { ...preflight.headers, origin: 'https://third.example' } })).headers[
        'access-control-allow-origin'
      ],
      undefined
    )
  })

  t.test('may read what is told before there is a route', async t => {
    const listed = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: `https://other.example,${origin}` } })
    const open = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: '*' } })
    for (const url of ['/models/%zz', `/models/${'a'.repeat(17_000)}`, '/nope', '/models?x=%zz']) {
      const [answer, same] = await Promise.all([listed, open].map(app => app.inject({ url, headers: { origin } })))
      t.match(answer?.statusCode, /^40[04]$/)
      t.match(answer?.headers, {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': /x-request-id.*Mcp-Session-Id/,
        vary: /^Origin/
      }, url)
      t.equal(same?.headers['access-control-allow-origin'], '*', url)
      const stranger = await listed.inject({ url, headers: { origin: 'https://third.example' } })
      t.equal(stranger.headers['access-control-allow-origin'], undefined, url)
      const told = await listed.inject({ ...preflight, url })
      const usual = await listed.inject(preflight)
      t.match(told, { statusCode: 204, body: '', headers: { 'x-request-id': String } }, url)
      for (const name of Object.keys(usual.headers).filter(name => name.startsWith('access-control'))) {
        t.equal(told.headers[name], usual.headers[name], `${url} ${name}`)
      }
    }
    t.equal((await listed.inject({ method: 'OPTIONS', url: '/models/%zz' })).statusCode, 400, 'that is no preflight')
    const closed = await buildTestApp(t)
    t.notMatch((await closed.inject({ url: '/models/%zz', headers: { origin } })).headers, {
      'access-control-expose-headers': String
    })
  })

  t.test('are told errors as any other client', async t => {
    const keysFile = join(t.testdir({ 'keys.json': '[]' }), 'keys.json')
    const open = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: origin } })
    const keys = { LAVIT_KEYS_FILE: keysFile, LAVIT_ADMIN_KEY: 'the-key-of-the-environment' }
    const closed = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: origin, ...keys } })
    const ask = (url: string, headers: Record<string, string> = {}, payload?: string) =>
      open.inject({ method: 'OPTIONS', url, headers: { origin, ...headers }, ...(payload && { payload }) })
    const unknown = { origin, authorization: 'Bearer unknown' }
    for (const [answer, status] of [
      [await closed.inject({ method: 'OPTIONS', url: '/caption', headers: unknown }), 401],
      [await ask('/caption?x=%zz'), 400],
      [await ask('/caption', { 'content-type': 'text/csv' }, 'a,b'), 415],
      [await ask('/nope'), 404]
    ] as const) {
      t.match(answer, { statusCode: status, headers: { 'content-type': /^application\/problem\+json/ } })
      t.equal(answer.json().status, status)
      t.equal(answer.headers['access-control-allow-origin'], origin)
      t.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined)
    }
    t.equal((await ask('/models', { accept: 'text/html' })).statusCode, 204, 'which has no form to choose')
  })

  t.test('leave other answers as they are', async t => {
    const app = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: '*' } })
    t.match((await app.inject({ ...jobs, headers: { ...jobs.headers, origin } })).headers, {
      'access-control-allow-origin': '*'
    })
    t.match(await app.inject({ method: 'OPTIONS', url: '/caption' }), {
      statusCode: 204,
      headers: { allow: 'POST, OPTIONS' }
    })
    t.equal((await app.inject('/nope')).statusCode, 404)
    t.match(await app.inject({ url: '/caption' }), { statusCode: 405, headers: { allow: 'POST, OPTIONS' } })
  })
})

t.test('nothing points above the path that a proxy put before it', async t => {
  const app = await buildTestApp(t)
  const resolve = (path: string, from: string) =>
    new URL(path, `http://proxy/prefix${from}`).pathname.replace(/^\/prefix/, '')
  for (const url of ['/docs', '/docs/']) {
    const links = [...(await app.inject(url)).body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) =>
      resolve(String(path), url)
    )
    t.ok(links.length > 4)
    for (const path of links) t.equal((await app.inject(path)).statusCode, 200, `${url} ${path}`)
  }
  t.equal(resolve(`${(await app.inject('/openapi.json')).json().servers[0].url}/caption`, '/openapi.json'), '/caption')
  t.equal(resolve(`${(await app.inject('/docs/json')).json().servers[0].url}/caption`, '/docs/json'), '/caption')
})

t.test('the page alone may style itself, and has the name of the project', async t => {
  const app = await buildTestApp(t)
  const policyOf = async (url: string) => String((await app.inject(url)).headers['content-security-policy'])
  for (const url of ['/docs', '/docs/']) t.match(await policyOf(url), "style-src 'self' 'unsafe-inline'")
  for (const url of ['/models', '/openapi.json', '/nope', '/']) t.notMatch(await policyOf(url), 'unsafe-inline', url)
  t.match((await app.inject('/docs')).body, '<title>LaVIT Server</title>')
})

t.test('proxies are believed where they are configured', async t => {
  const ipOf = async (environment: Record<string, string>) => {
    const app = await buildTestApp(t, { environment })
    let ip = ''
    app.addHook('onRequest', async request => {
      ip = request.ip
    })
    await app.inject({ url: '/nope', remoteAddress: '10.0.0.9', headers: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2' } })
    return ip
  }
  t.equal(await ipOf({}), '10.0.0.9')
  t.equal(await ipOf({ LAVIT_TRUST_PROXY: 'true' }), '1.1.1.1')
  t.equal(await ipOf({ LAVIT_TRUST_PROXY: '1' }), '2.2.2.2')
  t.equal(await ipOf({ LAVIT_TRUST_PROXY: '10.0.0.0/8' }), '2.2.2.2')
  t.equal(await ipOf({ LAVIT_TRUST_PROXY: 'loopback' }), '10.0.0.9')
})
