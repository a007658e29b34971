// covers: src/plugins/negotiation.ts
import t from 'tap'
import { ServerError, errorFromCode } from '../../src/errors.ts'
import { base64, buildTestApp, form, png } from '../helper.ts'

const problem = (status: number, code: string) => ({
  type: `urn:lavit:problem:${code}`,
  title: String,
  status,
  detail: String,
  code,
  request_id: String
})
const json = { 'content-type': 'application/json' }
const picture = { 'content-type': 'image/png' }

t.test('every refusal is a problem document', async t => {
  const app = await buildTestApp(t)
  const cases: [object, number, string][] = [
    [{ url: '/nope' }, 404, 'not_found'],
    [{ url: '/nope', method: 'POST', payload: {} }, 404, 'not_found'],
    [{ url: '/models/a%2fb' }, 404, 'model_not_found'],
    [{ url: `/models/${'a'.repeat(300)}` }, 404, 'model_not_found'],
    [
      { url: '/detokenize', method: 'POST', payload: { visual_tokens: [1], model: 'a'.repeat(200) } },
      404,
      'model_not_found'
    ],
    [{ url: '/models/%zz' }, 400, 'invalid_request'],
    [{ url: '/models?x=%zz' }, 400, 'invalid_request'],
    [{ url: '/vqa?question=what%ff+is%3F', method: 'POST', payload: png, headers: picture }, 400, 'invalid_request'],
    [{ url: '/vqa?question=100%25+of+what%3F', method: 'POST', payload: png, headers: picture }, 200, ''],
    [{ url: '/caption' }, 405, 'method_not_allowed'],
    [{ url: '/models/x', method: 'DELETE' }, 405, 'method_not_allowed'],
    [{ url: '/models', headers: { accept: 'text/html' } }, 406, 'not_acceptable'],
    [{ url: '/models', headers: { accept: 'application/json;q=0' } }, 406, 'not_acceptable'],
    [{ url: '/models', headers: { accept: 'application/json; charset=utf-8' } }, 200, ''],
    [{ url: '/models', headers: { accept: 'text/html, application/json; indent=4; a="b,c"; q=0.5' } }, 200, ''],
    [{ url: '/caption', method: 'POST' }, 400, 'invalid_request'],
    [{ url: '/caption', method: 'POST', payload: '', headers: json }, 400, 'invalid_request'],
    [{ url: '/caption', method: 'POST', payload: '{"a":', headers: json }, 400, 'invalid_request'],
    [{ url: '/caption', method: 'POST', payload: '{"__proto__":{}}', headers: json }, 422, 'invalid_field'],
    [{ url: '/caption', method: 'POST', payload: 'null', headers: json }, 422, 'invalid_field'],
    [{ url: '/caption', method: 'POST', payload: '[]', headers: json }, 422, 'invalid_field'],
    [{ url: '/caption', method: 'POST', payload: '7', headers: json }, 422, 'invalid_field'],
    [
      { url: '/caption', method: 'POST', payload: 'hello', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type'
    ],
    [
      { url: '/caption', method: 'POST', payload: 'x', headers: { 'content-type': 'Application/JSON\t; x' } },
      400,
      'invalid_request'
    ],
    [
      { url: '/caption', method: 'POST', payload: 'x', headers: { ...json, 'content-encoding': 'gzip' } },
      415,
      'unsupported_media_type'
    ],
    [
      { url: '/caption', method: 'POST', payload: png, headers: { 'content-type': 'image/tiff' }, query: { n: '1' } },
      200,
      ''
    ],
    [
      { url: '/caption', method: 'POST', payload: 'x', headers: { 'content-type': 'multipart/form-data' } },
      400,
      'invalid_request'
    ],
    [
      { url: '/caption', method: 'POST', payload: 'x', headers: { 'content-type': 'multipart/form-data; boundary=b' } },
      400,
      'invalid_request'
    ],
    [{ url: '/caption', method: 'POST', payload: Buffer.alloc(16_000_000, 32), headers: json }, 413, 'too_large'],
    [{ url: '/caption?n=1', method: 'POST', payload: { image: base64, n: 1 } }, 422, 'invalid_field'],
    [{ url: '/docs/static/..%2f..%2fpackage.json' }, 404, 'not_found']
  ]
  for (const [request, status, code] of cases) {
    const response = await app.inject(request as { url: string })
    const name = JSON.stringify(request).slice(0, 90)
    t.equal(response.statusCode, status, `${name} ${response.body.slice(0, 200)}`)
    if (status === 200) continue
    t.match(response.headers['content-type'], 'application/problem+json', name)
    t.match(response.json(), problem(status, code), name)
    t.equal(response.headers['x-request-id'], response.json().request_id, name)
    t.match(response.headers, { 'server-timing': /total;dur=/, 'cache-control': 'no-store' }, name)
  }
  t.match((await app.inject('/v1/models/%zz')).json(), { error: { code: 'invalid_request' } })
})

t.test('405 and OPTIONS tell the methods of a path', async t => {
  const app = await buildTestApp(t)
  t.equal((await app.inject('/caption')).headers.allow, 'POST, OPTIONS')
  t.equal((await app.inject({ method: 'PUT', url: '/models/x?y=1' })).headers.allow, 'GET, HEAD, OPTIONS')
  for (const url of ['/%6Dodels', '/%6dodels/', '/models/%C3%A9']) {
    t.match(await app.inject({ method: 'DELETE', url }), { statusCode: 405, headers: { allow: /^GET/ } }, url)
  }
  for (const url of ['/models/%zz', '/%ff']) t.equal((await app.inject({ method: 'PUT', url })).statusCode, 400, url)
  t.match(await app.inject({ method: 'OPTIONS', url: '/models' }), {
    statusCode: 204,
    headers: { allow: 'GET, HEAD, OPTIONS' }
  })
  t.equal((await app.inject({ method: 'OPTIONS', url: '/nope' })).statusCode, 404)
  t.match(await app.inject({ method: 'HEAD', url: '/models' }), { statusCode: 200, body: '' })
})

t.test('what the engine refuses comes through; what breaks is told without its cause', async t => {
  let error: Error = new Error('x')
  const app = await buildTestApp(t, {
    submit: async () => {
      throw error
    }
  })
  const post = () => app.inject({ method: 'POST', url: '/detokenize', payload: { visual_tokens: [1] } })
  const cases: [Error, number, string, string | undefined][] = [
    [new ServerError('queue_full', 'full', { retryAfterSeconds: 2.2 }), 429, 'queue_full', '3'],
    [new ServerError('engine_restarting', 'again'), 503, 'engine_restarting', '1'],
    [new ServerError('draining', 'bye'), 503, 'draining', '1'],
    [errorFromCode('deadline_exceeded', 'late'), 504, 'deadline_exceeded', undefined],
    [new ServerError('request_cancelled', 'gone'), 499, 'request_cancelled', undefined],
    [new Error('/secret/path'), 500, 'internal_error', undefined],
    [errorFromCode('internal_error', '/secret/path'), 500, 'internal_error', undefined],
    [Object.assign(new Error('/secret/path'), { statusCode: 418 }), 500, 'internal_error', undefined]
  ]
  for (const [thrown, status, code, retryAfter] of cases) {
    error = thrown
    const response = await post()
    t.match(response.json(), problem(status, code))
    t.equal(response.headers['retry-after'], retryAfter, code)
    t.notMatch(response.body, /secret/)
    t.equal(app.seen.loans, 0)
  }
})

t.test("a sane id of the client's is kept, another is not", async t => {
  const app = await buildTestApp(t)
  const id = async (sent: string) =>
    (await app.inject({ url: '/health/live', headers: { 'x-request-id': sent } })).headers['x-request-id']
  t.equal(await id('abc-123'), 'abc-123')
  t.match(await id('a b\u001b'), /^[0-9a-f-]{36}$/)
  t.match(await id('a'.repeat(65)), /^[0-9a-f-]{36}$/)
})

t.test('forms are held to their fields', async t => {
  const app = await buildTestApp(t)
  const cases: [[string, string | Buffer][], string, string][] = [
    [
      [
        ['image', png],
        ['image', png]
      ],
      'invalid_field',
      '/image'
    ],
    [
      [
        ['image', png],
        ['n', '1'],
        ['n', '2']
      ],
      'invalid_field',
      '/n'
    ],
    [[['picture', png]], 'invalid_field', '/picture'],
    [
      [
        ['image', png],
        ['n', '1.5']
      ],
      'invalid_field',
      '/n'
    ],
    [
      [
        ['image', png],
        ['n', 'one']
      ],
      'invalid_field',
      '/n'
    ],
    [
      [
        ['image', png],
        ['stream', 'yes']
      ],
      'invalid_field',
      '/stream'
    ],
    [
      [
        ['image', png],
        ['constructor', 'x']
      ],
      'invalid_field',
      '/constructor'
    ],
    [
      [
        ['image', png],
        ['extra', 'x']
      ],
      'invalid_field',
      '/extra'
    ]
  ]
  for (const [fields, code, pointer] of cases) {
    const {
      code: actual,
      errors,
      detail
    } = (await app.inject({ method: 'POST', url: '/caption', ...form(fields) })).json()
    t.equal(actual, code, detail)
    t.match(errors, [{ pointer }])
  }
  const many = form(Array.from({ length: 65 }, (_, i): [string, string] => [`f${i}`, 'x']))
  t.equal((await app.inject({ method: 'POST', url: '/caption', ...many })).statusCode, 413)
})
