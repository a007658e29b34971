// covers: src/plugins/whole-files.ts
/** The playground as the server gives it, whatever is in it; the page itself is tested in a browser. */
import { join } from 'node:path'
import { brotliDecompressSync, brotliCompressSync } from 'node:zlib'
import t from 'tap'
import { buildTestApp } from '../helper.ts'

const script = 'console.log(1)'
const built = {
  'index.html': '<!doctype html><script type="module" src="./assets/index-abc.js"></script>',
  assets: { 'index-abc.js': script, 'index-abc.js.br': brotliCompressSync(script), 'fox-abc.png': 'PNG' }
}

t.test('the page and its files', async t => {
  const app = await buildTestApp(t, { playground: t.testdir(built) })

  t.test('are kept for ever by their names, but for the page that names them', async t => {
    t.match(await app.inject('/'), {
      statusCode: 200,
      headers: { 'content-type': /^text\/html/, 'cache-control': 'no-cache', etag: String },
      body: built['index.html']
    })
    t.match((await app.inject('/assets/fox-abc.png')).headers, {
      'content-type': 'image/png',
      'cache-control': 'public, max-age=31536000, immutable'
    })
    const { etag } = (await app.inject('/')).headers
    t.equal((await app.inject({ url: '/', headers: { 'if-none-match': String(etag) } })).statusCode, 304)
  })

  t.test('come compressed as they were built', async t => {
    const answer = await app.inject({ url: '/assets/index-abc.js', headers: { 'accept-encoding': 'br, gzip' } })
    t.match(answer.headers, { 'content-encoding': 'br', 'content-type': /javascript/, vary: /accept-encoding/i })
    t.equal(brotliDecompressSync(answer.rawPayload).toString(), script)
    t.equal((await app.inject('/assets/index-abc.js')).body, script)
    t.equal((await app.inject('/assets/index-abc.js.br')).statusCode, 404, 'not under names of their own')
  })

  t.test('may run and load nothing but what this server has', async t => {
    for (const url of ['/', '/assets/index-abc.js']) {
      const policy = String((await app.inject(url)).headers['content-security-policy'])
      t.match(policy, /default-src 'none'/)
      t.match(policy, /trusted-types 'none'/)
      t.match(policy, /require-trusted-types-for 'script'/)
      t.notMatch(policy, /unsafe|https?:|\*/)
    }
  })

  t.test('are files of the folder alone', async t => {
    for (const url of ['/assets/', '/assets/none.js', '/assets/..%2f..%2fpackage.json', '/assets//index-abc.js']) {
      t.equal((await app.inject(url)).statusCode, 404, url)
    }
    const posted = await app.inject({ method: 'POST', url: '/' })
    t.match(posted, { statusCode: 405, headers: { allow: 'GET, HEAD, OPTIONS' } })
  })
})

t.test('files are sent whole, whatever part or state of them is asked for', async t => {
  const app = await buildTestApp(t, { playground: t.testdir(built) })
  for (const url of ['/', '/assets/index-abc.js', '/docs/static/swagger-ui.css']) {
    const whole = await app.inject(url)
    for (const [name, value] of [
      ['range', 'bytes=0-3'],
      ['range', 'bytes=99999999-'],
      ['range', 'bytes=5-1'],
      ['if-match', '"x"'],
      ['if-unmodified-since', 'Mon, 01 Jan 2001 00:00:00 GMT']
    ] as const) {
      const answer = await app.inject({ url, headers: { [name]: value } })
      t.match(answer, { statusCode: 200, body: whole.body }, `${url} ${name}: ${value}`)
      t.equal(answer.headers['content-range'], undefined)
    }
  }
})

t.test('the page opens without a key, since it asks for one itself, and while the model loads', async t => {
  const keys = t.testdir({ 'keys.json': '[]', page: built })
  const app = await buildTestApp(t, {
    playground: join(keys, 'page'),
    state: () => 'loading',
    environment: { LAVIT_KEYS_FILE: join(keys, 'keys.json') }
  })
  for (const url of ['/', '/assets/index-abc.js', '/docs', '/docs/json', '/docs/static/swagger-ui.css']) {
    t.equal((await app.inject(url)).statusCode, 200, url)
  }
  t.equal((await app.inject('/models')).statusCode, 401)
})

t.test('without a build the server says how to make one', async t => {
  const app = await buildTestApp(t)
  t.match((await app.inject('/')).json(), { status: 404, code: 'not_found', detail: /npm run build/ })
})
