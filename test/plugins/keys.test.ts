// covers: src/plugins/keyring.ts
/** Who may ask for what, over every route of the application and of its document. */
import { createHash } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { answerWork, base64, buildTestApp } from '../helper.ts'

const admin = 'the-key-of-the-environment'
const secretOf = (name: string) => `secret-of-${name}`
const bearer = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` })
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const entry = (name: string, more: object = {}) => ({
  name,
  sha256: sha256(secretOf(name)),
  scopes: ['infer'],
  ...more
})
const job = { method: 'POST', url: '/detokenize', payload: { visual_tokens: [1] } } as const

/** The app with these keys, their file, and the lines of its log. */
async function start (t: Test, keys: object[], options: Parameters<typeof buildTestApp>[1] = {}) {
  const file = join(t.testdir({ 'keys.json': JSON.stringify(keys) }), 'keys.json')
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: line => lines.push(line) })
  const environment = { LAVIT_KEYS_FILE: file, LAVIT_ADMIN_KEY: admin, ...options.environment }
  return Object.assign(await buildTestApp(t, { ...options, environment, log }), { file, lines })
}

/** Methods and paths out of the framework's drawing of its tree, which leaves out what stands before a star. */
function routesOf (drawing: string) {
  const path: string[] = []
  return drawing.split('\n').flatMap(line => {
    const [, indent = '', part, methods] = /^([│ ]*)[├└]── (\S+)(?: \((.*)\))?$/.exec(line) ?? []
    if (part === undefined) return []
    path.splice(indent.length / 4, Infinity, part)
    const url = path.join('').replace(/:\w+/, 'lavit-mini').replace('*', '/static/swagger-ui.css')
    return (methods?.split(', ') ?? []).map(method => ({ method, url }))
  })
}

function scopeOf (url: string) {
  if (/^\/(health\/.*|docs(\/.*)?)?$/.test(url)) return // pages ask for a key themselves
  if (url === '/metrics') return 'metrics'
  return /^\/models\/[^/]+\/(un)?load$/.test(url) ? 'admin' : 'infer'
}

t.test('every route asks for its scope, but those of health and the pages', async t => {
  const scopes = ['infer', 'metrics', 'admin']
  const environment = { LAVIT_BATCH_DIR: t.testdir() }
  const app = await start(t, scopes.map(scope => entry(scope, { scopes: [scope] })), { environment })
  const { paths } = (await app.inject({ url: '/openapi.json', headers: bearer('infer') })).json()
  const told = Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => ({ method: method.toUpperCase(), url: path.replace(/{\w+}/, 'lavit-mini') }))
  )
  const routes = routesOf(app.printRoutes({ commonPrefix: false }))
  for (const route of told) t.ok(routes.some(({ method, url }) => method === route.method && url === route.url), route)
  t.ok(routes.length > told.length)

  for (const { method, url } of routes) {
    const name = `${method} ${url}`
    const ask = (headers = {}) => app.inject({ method: method as 'GET' | 'HEAD' | 'POST', url, headers })
    const scope = scopeOf(url)
    const strange = [{}, bearer('nobody'), { authorization: `Basic ${secretOf('infer')}` }, { 'x-api-key': 'nobody' }]
    for (const headers of strange) {
      const answer = await ask(headers)
      t.equal(answer.statusCode === 401, scope !== undefined, name)
      if (scope === undefined) continue
      t.match(answer.headers, { 'www-authenticate': 'Bearer', 'x-request-id': String })
      if (method !== 'HEAD') t.equal(answer.json().code, 'unauthorized', name)
    }
    for (const other of scopes) {
      const answer = await ask(bearer(other))
      const isForbidden = scope !== undefined && other !== scope
      t.equal(answer.statusCode === 403, isForbidden, `${name} with ${other}`)
      t.not(answer.statusCode, 401, `${name} with ${other}`)
      if (isForbidden && method !== 'HEAD') t.equal(answer.json().code, 'forbidden')
    }
  }
  t.equal((await app.inject('/nowhere')).statusCode, 401)
  t.equal((await app.inject({ url: '/nowhere', headers: bearer('metrics') })).statusCode, 404)
})

t.test('a key may stand in either header, and the admin key of the environment holds beside the file', async t => {
  const app = await start(t, [entry('a')])
  t.equal((await app.inject({ ...job, headers: { 'x-api-key': secretOf('a') } })).statusCode, 200)
  t.equal((await app.inject({ ...job, headers: { authorization: `bearer  ${secretOf('a')}` } })).statusCode, 200)
  const headers = { authorization: `Bearer ${admin}` }
  t.equal((await app.inject({ method: 'POST', url: '/models/lavit-mini/load', headers })).statusCode, 200)
  t.equal((await app.inject({ ...job, headers })).statusCode, 403)
})

t.test("OpenAI's client sends its key as the server reads it", async t => {
  const app = await start(t, [entry('a')])
  const baseURL = `${await app.listen({ port: 0 })}/v1`
  const listed = (apiKey: string) => new OpenAI({ baseURL, apiKey, maxRetries: 0 }).models.list()
  t.match((await listed(secretOf('a'))).data, [{ id: 'lavit-mini' }])
  await t.rejects(listed('wrong'), { status: 401, code: 'unauthorized', type: 'authentication_error' })
})

t.test('a rate is told on every answer, and what is over it is refused', async t => {
  const app = await start(t, [entry('slow', { rate: 2 }), entry('free')])
  const ask = () => app.inject({ ...job, headers: bearer('slow') })
  const policy = { 'ratelimit-policy': '"requests";q=2;w=60' }
  t.match(await ask(), { statusCode: 200, headers: { ...policy, ratelimit: '"requests";r=1;t=30' } })
  const refused = await app.inject({ url: '/metrics', headers: bearer('slow') })
  t.match(refused, { statusCode: 403, headers: { ...policy, ratelimit: '"requests";r=0;t=60' } })
  const late = await ask()
  t.match(late, { statusCode: 429, headers: { ...policy, ratelimit: '"requests";r=0;t=60', 'retry-after': '30' } })
  t.match(late.json(), { code: 'rate_limited', detail: /2 times a minute/ })
  const { statusCode, headers } = await app.inject({ ...job, headers: bearer('free') })
  t.equal(statusCode, 200, 'another key is not touched')
  t.notOk('ratelimit' in headers)
})

t.test('a share bounds what a key has in flight', async t => {
  let finish = () => {}
  let begun = () => {}
  const held = new Promise<void>(resolve => {
    finish = resolve
  })
  const beginning = new Promise<void>(resolve => {
    begun = resolve
  })
  const app = await start(t, [entry('a', { share: 0.5 }), entry('b', { share: 0.5 })], {
    environment: { LAVIT_QUEUE_LIMIT: '3' },
    async submit (work, options) {
      begun()
      await held
      return answerWork(work, options)
    }
  })
  const ask = (name: string) => app.inject({ ...job, headers: bearer(name) })
  const first = ask('a')
  first.then(() => {}, () => {})
  await beginning
  const second = await ask('a')
  t.match(second, { statusCode: 429, headers: { 'retry-after': String } })
  t.match(second.json(), { code: 'queue_full', detail: /1 requests in flight/ })
  t.equal((await app.inject({ url: '/models', headers: bearer('a') })).statusCode, 200, 'it bounds jobs alone')
  const other = ask('b')
  finish()
  t.equal((await other).statusCode, 200, 'another key has its own')
  t.equal((await first).statusCode, 200)
  t.equal((await ask('a')).statusCode, 200, 'what is answered counts no more')
  t.match(app.seen.options, [{ client: 'a' }, { client: 'b' }, { client: 'a' }], 'keys take turns')
})

t.test("one key's picture is not there for another", async t => {
  const encoding = { features: new Float32Array(4), keepProbabilities: new Float32Array(4) }
  const app = await start(t, [entry('a'), entry('b')], {
    submit: async (work, options) => ({ ...(await answerWork(work, options)), encoding })
  })
  const ask = async (name: string, image: unknown, accept = 'application/json') => {
    const headers = { ...bearer(name), accept }
    return (await app.inject({ method: 'POST', url: '/tokenize', payload: { image }, headers })).json()
  }
  const { image_ref: ref } = await ask('a', base64)
  t.match(ref, /^img_/)
  t.match(await ask('a', { ref }), { image_ref: ref, count: 3 })
  t.match(await ask('b', { ref }), { status: 410, code: 'image_ref_expired' })
  t.match(await ask('b', { ref }, 'image/png'), { status: 410, code: 'image_ref_expired' })
  await ask('b', base64)
  t.match(app.seen.works.at(-1), { picture: { pixels: Uint8Array } }, 'the same picture is encoded for each')
  t.match(await ask('b', { ref }), { status: 410 })
})

t.test('the file is read again when it changes, and a broken one leaves the keys as they were', async t => {
  const app = await start(t, [entry('old')])
  const status = async (name: string) => (await app.inject({ ...job, headers: bearer(name) })).statusCode
  const until = async (text: string) => {
    while (!app.lines.some(line => line.includes(text))) await new Promise(resolve => setTimeout(resolve, 20))
  }
  t.equal(await status('old'), 200)
  writeFileSync(app.file, `[{"name": "${secretOf('new')}`)
  await until('it is not JSON; the keys stay as they were')
  t.strictSame([await status('old'), await status('new')], [200, 401])
  writeFileSync(`${app.file}.new`, JSON.stringify([entry('new')]))
  renameSync(`${app.file}.new`, app.file)
  await until('keys read again')
  t.strictSame([await status('old'), await status('new')], [401, 200])
  t.ok(app.lines.some(line => line.includes('"key":"new"') && line.includes('request completed')), 'the name is told')
  t.notMatch(app.lines.join(''), /secret-of/, 'a key is not')
  t.notMatch(app.lines.join(''), sha256(secretOf('new')))
})

t.test('without a file jobs are open, whatever key is sent', async t => {
  const app = await buildTestApp(t)
  for (const headers of [{}, bearer('nobody')]) t.equal((await app.inject({ ...job, headers })).statusCode, 200)
  t.equal((await app.inject('/metrics')).statusCode, 200)
})
