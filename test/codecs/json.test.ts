import t from 'tap'
import { parseJson } from '../../src/codecs/json.ts'
import { base64, buildTestApp } from '../helper.ts'

const headers = { 'content-type': 'application/json' }

t.test('what is wrong with a body of JSON is told apart', async t => {
  const app = await buildTestApp(t)
  const nested = (depth: number, open: string, shut: string) => open.repeat(depth) + shut.repeat(depth)
  const cases: [string | Buffer, number, string, RegExp][] = [
    ['', 400, 'invalid_request', /body is empty/],
    [' \n\t ', 400, 'invalid_request', /body is empty/],
    ['\ufeff', 400, 'invalid_request', /body is empty/],
    ['{"image": "', 400, 'invalid_request', /cut off/],
    ['{"image": "abc\\"', 400, 'invalid_request', /cut off/],
    ['{"n": 1', 400, 'invalid_request', /cut off/],
    ['{"n":', 400, 'invalid_request', /cut off/],
    ['[1, 2', 400, 'invalid_request', /cut off/],
    ["{'n': 1}", 400, 'invalid_request', /not JSON.*'/],
    ['{"n": 1,}', 400, 'invalid_request', /not JSON/],
    ['{"n": NaN}', 400, 'invalid_request', /not JSON/],
    ['{} {}', 400, 'invalid_request', /not JSON/],
    ['prompt=a', 400, 'invalid_request', /not JSON/],
    ['}{', 400, 'invalid_request', /not JSON/],
    [Buffer.from('{"n": 1}', 'utf16le'), 400, 'invalid_request', /UTF-16/],
    [Buffer.from('\ufeff{"n": 1}', 'utf16le'), 400, 'invalid_request', /UTF-16/],
    [Buffer.from('{"prompt": "caf\xe9"}', 'latin1'), 400, 'invalid_request', /UTF-8/],
    ['{"__proto__": {"n": 1}}', 422, 'invalid_field', /__proto__ is not a field/],
    ['{"constructor": {"prototype": {}}}', 422, 'invalid_field', /constructor is not a field/],
    ['[]', 422, 'invalid_field', /must be an object, not a list/],
    ['"text"', 422, 'invalid_field', /must be an object, not text/],
    ['7', 422, 'invalid_field', /must be an object, not 7/],
    ['null', 422, 'invalid_field', /must be an object, not null/],
    ['{"n": 1, "seed": 2, "n": 3}', 422, 'invalid_field', /^n is given more than once/],
    ['{"n": 1, "\\u006e": 3}', 422, 'invalid_field', /^n is given more than once/],
    ['{"image": {"ref": "a", "ref": "b"}}', 422, 'invalid_field', /^image\/ref is given more than once/],
    [nested(10_000, '[', ']'), 400, 'invalid_request', /nested deeper than 64/],
    [`{"prompt": ${nested(10_000, '{"a":', '}')}`, 400, 'invalid_request', /nested deeper than 64/],
    [`{"image": ${nested(60, '[', ']')}}`, 422, 'invalid_field', /image must be/],
    [`[${'{},'.repeat(400_000)}{}]`, 413, 'too_large', /524288/]
  ]
  for (const [payload, status, code, detail] of cases) {
    const problem = (await app.inject({ method: 'POST', url: '/caption', payload, headers })).json()
    t.match(problem, { status, code, detail }, payload.toString().slice(0, 40))
  }
})

t.test('a byte order mark and other names of UTF-8 change nothing', async t => {
  const app = await buildTestApp(t)
  for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
    const payload = `\ufeff{"image": "${base64}"}\n`
    t.equal(
      (await app.inject({ method: 'POST', url: '/caption', payload, headers: { 'content-type': type } })).statusCode,
      200,
      type
    )
  }
})

t.test('JSON is read as Node reads it', async t => {
  for (const value of [
    { a: [1, { b: '"\\' }], c: '{"a":1,"a":2}', '': null },
    [],
    'a\u2028',
    -1e3,
    true,
    { a: { x: 1 }, b: { x: 1 } },
    [{ x: 1 }, { x: 2 }]
  ]) {
    t.strictSame(parseJson(Buffer.from(JSON.stringify(value, null, 1))), value)
  }
  t.strictSame(Object.keys(parseJson(Buffer.from('{"__proto__": 1}')) as object), ['__proto__'])
})
