// covers: src/plugins/codings.ts src/plugins/fields.ts src/plugins/forms.ts src/plugins/part-heads.ts
// covers: src/plugins/whole-body.ts src/tasks/base64.ts src/tasks/picture.ts src/tasks/selection.ts
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import sharp from 'sharp'
import t from 'tap'
import { watchHeads } from '../../src/plugins/part-heads.ts'
import type { Work } from '../../src/pipe/work.ts'
import { base64, buildTestApp, png } from '../helper.ts'

type Part = { name?: string; filename?: string; type?: string; encoding?: string; body: string | Buffer }

/** A form whose parts say of themselves exactly what is given. */
function formOf (...parts: Part[]) {
  const written = parts.map(({ name, filename, type, encoding, body }) =>
    Buffer.concat([
      Buffer.from(
        '--b\r\nContent-Disposition: form-data' +
          (name === undefined ? '' : `; name="${name}"`) +
          (filename === undefined ? '' : `; filename="${filename}"`)
      ),
      Buffer.from(
        (type === undefined ? '' : `\r\nContent-Type: ${type}`) +
          (encoding === undefined ? '' : `\r\nContent-Transfer-Encoding: ${encoding}`)
      ),
      Buffer.from('\r\n\r\n'),
      Buffer.from(body),
      Buffer.from('\r\n')
    ])
  )
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    payload: Buffer.concat([...written, Buffer.from('--b--\r\n')])
  }
}

const json = 'application/json'
const image = { name: 'image', filename: 'a.png', type: 'image/png', body: png }
const dataUrl = `data:image/png;base64,${base64}`
const textsOf = (work: Work | undefined) =>
  work && 'segments' in work
    ? work.segments.map(segment =>
      segment.kind === 'ids' ? String.fromCodePoint(...segment.ids.filter(id => id < 128)) : segment.kind
    )
    : []

t.test('a picture is read from a part of a form, however the part is typed', async t => {
  const app = await buildTestApp(t)
  const parts: Omit<Part, 'name'>[] = []
  for (const filename of [undefined, 'a.png', 'blob', '']) {
    for (const type of [undefined, 'image/png', 'image/jpeg', 'application/octet-stream', 'text/plain']) {
      for (const body of [png, base64, dataUrl, `\n ${dataUrl}\n`]) {
        parts.push({ ...(filename !== undefined && { filename }), ...(type !== undefined && { type }), body })
      }
    }
  }
  parts.push(
    { type: json, body: JSON.stringify(dataUrl) },
    { type: json, filename: 'blob', body: JSON.stringify(base64) },
    { encoding: 'base64', type: 'image/png', filename: 'a.png', body: base64.replace(/(.{76})/g, '$1\r\n') }
  )
  for (const part of parts) {
    const response = await app.inject({ method: 'POST', url: '/tokenize', ...formOf({ name: 'image', ...part }) })
    t.equal(
      response.statusCode,
      200,
      `${JSON.stringify({ ...part, body: part.body.toString('latin1', 0, 8) })} ${response.body.slice(0, 200)}`
    )
  }
})

t.test('a picture that is none has its true reason', async t => {
  const app = await buildTestApp(t)
  const cases: [Omit<Part, 'name'>, string, RegExp][] = [
    [
      { filename: 'a.txt', type: 'text/plain', body: 'this, is no picture.' },
      'unsupported_media_type',
      /not a picture of an allowed format/
    ],
    [{ filename: 'notes.png', type: 'image/png', body: 'hello' }, 'unsupported_media_type', /not a picture of an/],
    [{ filename: 'notes.txt', body: 'these are notes\n' }, 'unsupported_media_type', /not a picture of an/],
    [{ body: 'hello' }, 'invalid_field', /^image is neither a base64 data URL nor base64 text/],
    [{ filename: 'a.txt', body: 'data:image/png,abc' }, 'invalid_field', /without `;base64`/],
    [{ filename: 'a.png', type: 'image/png', body: '' }, 'invalid_field', /empty file/],
    [
      { filename: '', type: 'application/octet-stream', body: '' },
      'invalid_field',
      /image or visual_tokens must be given/
    ],
    [{ body: 'data:image/png,abc' }, 'invalid_field', /without `;base64`/],
    [{ type: json, body: '{"ref": "img_1"}' }, 'image_ref_expired', /send the picture again/],
    [{ type: json, body: '{"url": "x"}' }, 'invalid_field', /image\/url is not a field/],
    [{ type: json, body: 'null' }, 'invalid_field', /^image must be text or an object, not null/],
    [{ type: json, body: '{"ref"' }, 'invalid_field', /^image is JSON that ends too early/]
  ]
  for (const [part, code, detail] of cases) {
    t.match(
      (await app.inject({ method: 'POST', url: '/caption', ...formOf({ name: 'image', ...part }) })).json(),
      { code, detail },
      JSON.stringify(part)
    )
  }
})

t.test('the text of a part is in the charset that it names', async t => {
  const app = await buildTestApp(t)
  const latin = Buffer.from('caf\xe9', 'latin1')
  const texts: [Part[], string][] = [
    [[{ type: 'text/plain; charset=iso-8859-1', body: latin }], 'café'],
    [[{ type: 'text/plain;format=flowed; Charset="ISO-8859-1"', body: latin }], 'café'],
    [[{ type: 'text/plain;\r\n charset=windows-1251', body: Buffer.from([0xea, 0xee, 0xf2]) }], 'кот'],
    [[{ type: 'text/plain; charset=UTF-16LE', body: Buffer.from('ネコ', 'utf16le') }], 'ネコ'],
    [[{ type: 'text/plain; charset=shift_jis', body: Buffer.from([0x83, 0x6c, 0x83, 0x52]) }], 'ネコ'],
    [[{ type: 'text/plain; charset=us-ascii', body: 'café' }], 'café'],
    [[{ type: 'text/plain; charset=UTF-8', body: 'café' }], 'café'],
    [[{ name: '_charset_', body: 'iso-8859-1' }, { body: latin }], 'café'],
    [[{ name: '_charset_', body: 'iso-8859-1' }, { type: 'text/plain; charset=utf-8', body: 'café' }], 'café'],
    [[{ name: '_charset_', body: '' }, { body: 'café' }], 'café']
  ]
  for (const [parts, text] of texts) {
    const { headers, payload } = formOf(image, ...parts.map(part => ({ name: 'prompt', ...part })))
    const ids = [...text].map(character => character.codePointAt(0)! % 128)
    for (const size of [payload.length, 1, 7]) {
      const chunks = Array.from({ length: Math.ceil(payload.length / size) }, (_, i) =>
        payload.subarray(i * size, (i + 1) * size)
      )
      const answer = await app.inject({ method: 'POST', url: '/caption', headers, payload: Readable.from(chunks) })
      t.equal(answer.statusCode, 200, answer.body)
      const { segments } = app.seen.works.at(-1) as Work & { segments: { ids: number[] }[] }
      t.strictSame(segments[2]?.ids, [301, ...ids], text)
    }
  }

  const prompts = formOf(
    { name: 'prompt', type: 'text/plain; charset=iso-8859-1', body: latin },
    { name: 'prompt', body: 'café' }
  )
  t.equal((await app.inject({ method: 'POST', url: '/generate', ...prompts })).statusCode, 200, 'each for itself')

  const refused: [Part[], RegExp][] = [
    [[{ type: 'text/plain; charset=klingon', body: 'ab' }], /^question is in a charset .*: klingon; send UTF-8/],
    [[{ type: 'text/plain; charset=utf-16le', body: 'abc' }], /^question is not valid UTF-16LE/],
    [[{ type: 'text/plain; charset=utf-8', body: latin }], /^question is not valid UTF-8/],
    [[{ name: '_charset_', body: 'klingon' }, { body: 'ab' }], /^question is in a charset .* not know: klingon/]
  ]
  for (const [parts, detail] of refused) {
    const sent = formOf(image, ...parts.map(part => ({ name: 'question', ...part })))
    t.match((await app.inject({ method: 'POST', url: '/vqa', ...sent })).json(), { code: 'invalid_field', detail })
  }
})

t.test('other fields of a form are text, or JSON of the right type', async t => {
  const app = await buildTestApp(t)
  const post = (url: string, ...parts: Part[]) => app.inject({ method: 'POST', url, ...formOf(image, ...parts) })
  const given: [Part, object][] = [
    [{ name: 'prompt', body: 'ab' }, { segments: [{}, {}, { ids: [301, 97, 98] }] }],
    [{ name: 'prompt', filename: 'prompt', body: 'ab' }, { segments: [{}, {}, { ids: [301, 97, 98] }] }],
    [{ name: 'prompt', type: 'text/plain; charset=utf-8', body: 'ab' }, { segments: [{}, {}, { ids: [301, 97, 98] }] }],
    [{ name: 'prompt', type: json, filename: 'blob', body: '"ab"' }, { segments: [{}, {}, { ids: [301, 97, 98] }] }],
    [{ name: 'num_beams', type: json, body: '3' }, { numBeams: 3 }],
    [{ name: 'num_beams', body: '3' }, { numBeams: 3 }],
    [{ name: 'early_stopping', type: 'application/json; charset=utf-8', body: 'true' }, { earlyStopping: true }]
  ]
  for (const [part, work] of given) {
    const response = await post('/caption', part)
    t.equal(response.statusCode, 200, response.body)
    t.match(app.seen.works.at(-1), work, JSON.stringify(part))
  }

  const refused: [string, Part, RegExp][] = [
    ['/caption', { name: 'prompt', type: json, body: '{"a": 1}' }, /^prompt must be text, not an object/],
    ['/caption', { name: 'prompt', type: json, body: '["a"]' }, /^prompt must be text, not a list/],
    ['/caption', { name: 'prompt', type: json, body: 'null' }, /^prompt must be text, not null/],
    ['/caption', { name: 'prompt', type: json, body: '{"a":' }, /^prompt is JSON that ends too early/],
    ['/caption', { name: 'prompt', type: json, filename: 'blob', body: '' }, /^prompt is empty where JSON is expected/],
    ['/caption', { name: 'prompt', type: json, body: '{"a": 1, "a": 2}' }, /^prompt\/a is given more than once/],
    [
      '/caption',
      { name: 'prompt', type: 'image/png', filename: 'a.png', body: png },
      /^prompt must be text \(text\/plain\) or JSON/
    ],
    [
      '/caption',
      { name: 'prompt', type: 'application/xml', body: '<a/>' },
      /^prompt must be text \(text\/plain\) or JSON \(application\/json\), not application\/xml/
    ],
    ['/caption', { name: 'prompt', body: Buffer.from('caf\xe9', 'latin1') }, /^prompt is not valid UTF-8/],
    ['/caption', { name: 'prompt', encoding: 'base64', body: 'YWI=' }, /^prompt must come as it is/],
    ['/caption', { name: 'n', type: json, body: '"1"' }, /^n must be a whole number, not text/],
    ['/caption', { name: 'n', type: json, body: '1.5' }, /^n must be a whole number, not 1.5/],
    ['/caption', { name: 'stream', type: json, body: '1' }, /^stream must be true or false, not 1/],
    [
      '/caption',
      { name: 'picture', type: 'image/png', filename: 'b.png', body: png },
      /^picture is not a field of this request; did you mean image\?/
    ],
    ['/vqa', { name: 'question', type: json, body: '{"a": 1}' }, /^question must be text, not an object/],
    ['/vqa', { name: 'question', type: json, body: 'null' }, /^question must be text, not null/],
    [
      '/generate',
      { name: 'prompt', type: json, body: '{"type": "sound"}' },
      /^prompt\/1\/type must be one of text, image, visual_tokens/
    ],
    ['/generate', { name: 'prompt', type: json, body: 'null' }, /^prompt\/1 must be an object, not null/],
    ['/generate', { name: 'prompt', type: json, body: '5' }, /^prompt\/1 must be an object, not 5/]
  ]
  for (const [url, part, detail] of refused) {
    t.match((await post(url, part)).json(), { status: 422, code: 'invalid_field', detail }, JSON.stringify(part))
  }
})

t.test('a list of parts as JSON takes its place among the parts of a form', async t => {
  const app = await buildTestApp(t)
  const parts = [
    { type: 'text', text: 'b' },
    { type: 'image', image: base64 },
    { type: 'text', text: 'c' }
  ]
  const response = await app.inject({
    method: 'POST',
    url: '/generate',
    ...formOf(
      { name: 'prompt', body: 'a' },
      image,
      { name: 'prompt', type: json, body: JSON.stringify(parts) },
      { name: 'prompt', type: json, body: '"d"' }
    )
  })
  t.equal(response.statusCode, 200, response.body)
  t.strictSame(textsOf(app.seen.works.at(-1)), ['a', 'codes', 'b', 'codes', 'c', 'd', ''])
})

t.test('what a form or a query leaves empty is not given', async t => {
  const app = await buildTestApp(t)
  const empty = ['seed', 'n', 'temperature', 'prompt', 'postprocess', 'stream', 'model', 'visual_tokens']
  const sent = await app.inject({
    method: 'POST',
    url: '/caption',
    ...formOf(image, ...empty.map(name => ({ name, body: '' })))
  })
  t.equal(sent.statusCode, 200, sent.body)
  const asked = await app.inject({
    method: 'POST',
    url: `/caption?${empty.map(name => `${name}=`).join('&')}&num_beams`,
    payload: png,
    headers: { 'content-type': 'image/png' }
  })
  t.equal(asked.statusCode, 200, asked.body)
  t.match(
    (await app.inject({ method: 'POST', url: '/vqa', ...formOf(image, { name: 'question', body: '' }) })).json(),
    { code: 'invalid_field', errors: [{ pointer: '/question', message: 'is required' }] }
  )
  t.match(
    (await app.inject({ method: 'POST', url: '/caption', ...formOf(image, { name: 'numBeams', body: '' }) })).json(),
    { code: 'invalid_field' },
    'an unknown field is told all the same'
  )
})

t.test('options in the query stand beside any body', async t => {
  const app = await buildTestApp(t)
  const bodies = [
    { payload: { image: base64 } },
    { payload: png, headers: { 'content-type': 'image/png' } },
    formOf(image),
    { payload: { visual_tokens: [3] } }
  ]
  for (const body of bodies) {
    const response = await app.inject({
      method: 'POST',
      url: '/caption?num_beams=3&prompt=ab&seed=5&top_p=0.5',
      ...body
    })
    t.equal(response.statusCode, 200, response.body)
    t.match(app.seen.works.at(-1), {
      numBeams: 3,
      sampling: { seed: 5, topP: 0.5 },
      segments: [{}, {}, { ids: [301, 97, 98] }]
    })
  }
  t.equal(
    (await app.inject({ method: 'POST', url: '/detokenize?seed=9&steps=0', payload: { visual_tokens: [1] } })).json()
      .images[0].seed,
    9
  )
  for (const [share, told] of [['.5', 0.5], ['0.3333333333333333333333333333', 1 / 3]] as const) {
    await app.inject({ method: 'POST', url: `/caption?top_p=${share}`, payload: { image: base64 } })
    t.match(app.seen.works.at(-1), { sampling: { topP: told } }, share)
  }
  t.match((await app.inject({ method: 'POST', url: '/generate?prompt=red&prompt=apple' })).json(), {
    status: 422,
    errors: [{ pointer: '/prompt', message: 'is given more than once' }]
  })
  for (const query of ['visual_tokens=1,2', 'visual_tokens=[1, 2]', 'visual_tokens=1&visual_tokens=2']) {
    t.equal((await app.inject({ method: 'POST', url: `/detokenize?${query}` })).statusCode, 200, query)
    t.match(app.seen.works.at(-1), { codes: [1, 2] }, query)
  }
  t.equal(
    (await app.inject({ method: 'POST', url: '/generate?prompt=a%20dog&seed=3' })).json().images[0].seed,
    3,
    'and may be all there is'
  )
  t.strictSame(textsOf(app.seen.works.at(-1)), ['a dog', ''])

  const twice: [string, object, string][] = [
    ['/caption?n=1', { payload: { image: base64, n: 1 } }, '/n'],
    ['/caption?n=1', formOf(image, { name: 'n', body: '1' }), '/n'],
    ['/caption?n=1', formOf(image, { name: 'n', type: json, body: '1' }), '/n'],
    ['/caption?n=1&n=2', { payload: { image: base64 } }, '/n'],
    ['/caption?image=abcd', { payload: png, headers: { 'content-type': 'image/png' } }, '/image'],
    ['/generate?prompt=a', { payload: { prompt: 'b' } }, '/prompt'],
    ['/generate?prompt=a', formOf({ name: 'prompt', body: 'b' }), '/prompt']
  ]
  for (const [url, request, pointer] of twice) {
    t.match(
      (await app.inject({ method: 'POST', url, ...request })).json(),
      { status: 422, code: 'invalid_field', errors: [{ pointer, message: /given/ }] },
      url
    )
  }
  const unknown: [string, string][] = [
    ['numBeams=2', '/numBeams'],
    ['__proto__=1', '/__proto__'],
    ['constructor=1', '/constructor'],
    ['n=x', '/n'],
    ['seed=-1', '/seed']
  ]
  for (const [query, pointer] of unknown) {
    for (const body of bodies) {
      t.match(
        (await app.inject({ method: 'POST', url: `/caption?${query}`, ...body })).json(),
        { status: 422, errors: [{ pointer }] },
        query
      )
    }
  }
})

t.test('encodings of the body', async t => {
  const app = await buildTestApp(t)
  const post = (coding: string) =>
    app.inject({ method: 'POST', url: '/caption', payload: { image: base64 }, headers: { 'content-encoding': coding } })
  for (const coding of [
    'identity',
    'Identity',
    'IDENTITY',
    '',
    ' ',
    'identity, identity',
    'identity,',
    'Identity , identity'
  ]) {
    t.equal((await post(coding)).statusCode, 200, coding)
  }
  for (const coding of ['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'identity, gzip', 'x']) {
    t.match(await post(coding), { statusCode: 415, headers: { 'accept-encoding': 'identity' } }, coding)
    t.match((await post(coding)).json(), {
      code: 'unsupported_media_type',
      detail: new RegExp(`"${coding.split(', ').at(-1)!.toLowerCase()}".*without Content-Encoding`)
    })
  }
})

t.test('where no body is read, its encoding does not matter', async t => {
  const app = await buildTestApp(t)
  for (const method of ['GET', 'HEAD'] as const) {
    for (const coding of ['gzip', 'utf-8']) {
      const answer = await app.inject({ method, url: '/models', headers: { 'content-encoding': coding } })
      t.equal(answer.statusCode, 200, `${method} ${coding}`)
    }
  }
})

t.test('a refused type is told those that the route reads', async t => {
  const app = await buildTestApp(t)
  const pictures = 'application/json, multipart/form-data, image/png, image/jpeg, image/webp, image/gif, image/avif'
  for (const type of [
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'multipart/mixed; boundary=b',
    'json',
    'image'
  ]) {
    const response = await app.inject({
      method: 'POST',
      url: '/caption',
      payload: 'x',
      headers: { 'content-type': type }
    })
    t.match(response, { statusCode: 415, headers: { 'accept-post': pictures, accept: pictures } }, type)
    t.ok(response.json().detail.includes(pictures) && response.json().detail.includes(type), type)
  }
  const typed = await app.inject({
    method: 'POST',
    url: '/detokenize',
    payload: png,
    headers: { 'content-type': 'image/png' }
  })
  t.match(typed, { statusCode: 415, headers: { 'accept-post': 'application/json' } })
  t.equal(
    (await app.inject({ method: 'POST', url: '/nope', payload: 'x', headers: { 'content-type': 'text/plain' } }))
      .statusCode,
    404
  )
  t.match(
    (
      await app.inject({ method: 'POST', url: '/caption', payload: '', headers: { 'content-type': 'image/png' } })
    ).json(),
    { status: 400, detail: /body is empty/ }
  )
})

t.test('a route without a body takes none, whatever type it is said to have', async t => {
  const key = 'a-key-of-some-length'
  const app = await buildTestApp(t, { environment: { LAVIT_ADMIN_KEY: key } })
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
    'image/png',
    'multipart/form-data; boundary=b',
    undefined
  ]) {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-length': '0',
      ...(type !== undefined && { 'content-type': type })
    }
    for (const url of ['/models/lavit-mini/load', '/models/lavit-mini/unload/']) {
      const response = await app.inject({ method: 'POST', url, headers })
      t.equal(response.statusCode, 200, `${type} ${response.body}`)
    }
  }
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  t.equal(
    (await app.inject({ method: 'POST', url: '/models/lavit-mini/load', headers, payload: '{}' })).statusCode,
    200
  )
  const load = async (request: object, query = '') =>
    (await app.inject({ method: 'POST', url: `/models/lavit-mini/load${query}`, ...request })).json()
  const { authorization } = headers
  t.match(await load({ headers, payload: '{' }), { status: 400 })
  t.match(await load({ headers, payload: '{"foo": 1, "bar": 2}' }, '?baz=3'), {
    status: 422,
    errors: [{ pointer: '/foo' }, { pointer: '/bar' }, { pointer: '/baz', message: /^is not a field/ }]
  })
  for (const payload of ['[]', '7', 'null']) t.match(await load({ headers, payload }), { status: 422 }, payload)
  t.match(await load({ headers: { authorization } }, '?foo=1'), { status: 422, errors: [{ pointer: '/foo' }] })
  const { headers: formHeaders, payload } = formOf(image)
  t.match(await load({ headers: { ...formHeaders, authorization }, payload }), { status: 415 })
  t.match(await load({ headers: { authorization, 'content-type': 'image/png' }, payload: png }), { status: 415 })
  t.equal(app.seen.calls.filter(call => call.startsWith('load')).length, 8, 'of all these none')
})

t.test('a path that is none, or not with this method, is told before its body is read', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_MAX_IMAGE_BYTES: '1000' } })
  const headers = { 'content-type': 'application/json' }
  const cases: [object, number][] = [
    [{ method: 'POST', url: '/nope', headers, payload: '{' }, 404],
    [{ method: 'PUT', url: '/caption', headers, payload: '{' }, 405],
    [{ method: 'POST', url: '/models', headers, payload: '{"a": 1, "a": 2}' }, 405],
    [{ method: 'POST', url: '/nope', headers: { 'content-type': 'image/png' }, payload: Buffer.alloc(2000) }, 404],
    [{ method: 'POST', url: '/models', headers: { 'content-type': 'image/png' }, payload: '' }, 405],
    [{ method: 'POST', url: '/models', ...formOf(image) }, 405],
    [{ method: 'POST', url: '/models', headers: { 'content-type': 'none' }, payload: 'x' }, 405],
    [{ method: 'POST', url: '/nope', headers: { 'content-type': 'none' }, payload: 'x' }, 404]
  ]
  for (const [request, status] of cases) {
    t.equal((await app.inject(request as { url: string })).statusCode, status, JSON.stringify(request).slice(0, 90))
  }
})

t.test('pictures as text', async t => {
  const app = await buildTestApp(t)
  const post = async (image: string) => app.inject({ method: 'POST', url: '/tokenize', payload: { image } })
  const escaped = base64.replaceAll('+', '%2B').replaceAll('/', '%2F').replaceAll('=', '%3D')
  const urlSafe = base64.replaceAll('+', '-').replaceAll('/', '_')
  const good = [
    base64,
    urlSafe,
    base64.replace(/=+$/, ''),
    ` \n${base64}\r\n\t`,
    `\ufeff${base64}`,
    base64.replace(/(.{7})/g, '$1 \t\r\n'),
    dataUrl,
    ` ${dataUrl}`,
    `\n\t${dataUrl}\n`,
    `\ufeff${dataUrl}`,
    `DATA:image/png;base64,${base64}`,
    `data:image/png;BASE64,${base64}`,
    `data:;base64,${base64}`,
    `data:image/png;charset=utf-8;base64,${base64}`,
    `data:image/png;name=a.png;base64,${base64}`,
    `data:image/jpeg;base64,${base64}`,
    `data: image/png ; base64 , ${base64}`,
    `data:image/png;base64,\n${base64.replace(/(.{76})/g, '$1\n')}`,
    `data:image/png;base64,${urlSafe}`,
    `data:image/png;base64,${escaped}`
  ]
  for (const image of good) {
    const response = await post(image)
    t.equal(response.statusCode, 200, `${JSON.stringify(image.slice(0, 40))} ${response.body.slice(0, 200)}`)
  }
  const bad: [string, RegExp][] = [
    [`data:image/png,${base64}`, /without `;base64`/],
    ['data:image/png;base64', /ends before its comma/],
    ['data:image/png;base64,', /neither/],
    ['https://example.com/a.png', /is a URL/],
    [' HTTPS://example.com/a.png', /is a URL/],
    ['blob:abc', /neither/],
    ['   ', /neither/],
    [`${base64}!`, /neither/],
    [`${base64.slice(0, 20)}é${base64.slice(20)}`, /neither/],
    [`${base64.slice(0, 20)}==${base64.slice(20)}`, /neither/],
    ['upload:0', /neither/],
    ['\u0141'.repeat(4), /neither/]
  ]
  for (const [image, message] of bad) {
    t.match(
      (await post(image)).json(),
      { status: 422, code: 'invalid_field', errors: [{ pointer: '/image', message }] },
      JSON.stringify(image.slice(0, 30))
    )
  }
})

t.test('forms that are broken say how', async t => {
  const app = await buildTestApp(t)
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const whole = formOf(image, { name: 'n', body: '1' }).payload
  const cases: [object, number, RegExp][] = [
    [{ headers: { 'content-type': 'multipart/form-data' }, payload: 'x' }, 400, /boundary/],
    [{ headers, payload: whole.subarray(0, whole.length - 20) }, 400, /ends too early/],
    [{ headers, payload: whole.subarray(0, 150) }, 400, /ends too early/],
    [formOf({ body: 'x' }), 400, /no name/],
    [formOf(...Array.from({ length: 65 }, (_, i) => ({ name: `f${i}`, body: 'x' }))), 413, /more than 64 parts/],
    [formOf(image, { name: 'prompt', body: 'a'.repeat(1_100_000) }), 413, /field prompt.*1048576/]
  ]
  for (const [request, status, detail] of cases) {
    t.match((await app.inject({ method: 'POST', url: '/caption', ...request })).json(), { status, detail })
  }
})

t.test('heads are looked for until the form is refused, and no further', async t => {
  const heads = watchHeads('multipart/form-data; boundary=b', 64)
  const head = '--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n\r\n'
  for (let i = 0; i < 10; i++) heads.see(Buffer.from(head.repeat(100)))
  t.equal(heads.names().length, 65)
  for (let i = 0; i < 65; i++) heads.take('n')
  heads.see(Buffer.from(head))
  t.equal(heads.names().length, 0, 'those that were taken count, too')

  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: t.testdir() } })
  let watching: string[] = []
  app.addHook('onResponse', async ({ raw }) => {
    watching = raw.listeners('data').map(({ name }) => name)
  })
  const many = formOf(...Array.from({ length: 65 }, (_, i) => ({ name: `f${i}`, body: 'x' })))
  const whole = formOf({ name: 'purpose', body: 'batch' }, { name: 'file', filename: 'a', body: '{}' })
  for (const [url, form, status] of [
    ['/caption', many, 413],
    ['/caption', formOf(image), 200],
    ['/v1/files', many, 413],
    ['/v1/files', whole, 200]
  ] as const) {
    const answer = await app.inject({ method: 'POST', url, ...form })
    t.equal(answer.statusCode, status, answer.body)
    t.notOk(watching.includes(heads.see.name), `${url} ${status}`)
  }
})

t.test('a part that does not say of itself to be a field is refused, not passed over', async t => {
  const app = await buildTestApp(t)
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const post = (head: string, end = '--b--\r\n', size = Infinity) => {
    const { payload: first } = formOf(image)
    const text = `${first.toString('latin1').replace(/--b--\r\n$/, '')}--b${head}\r\n\r\n2\r\n${end}`
    const payload = Buffer.from(text, 'latin1')
    const chunks = Array.from({ length: Math.ceil(payload.length / Math.min(size, payload.length)) }, (_, i) =>
      payload.subarray(i * size || 0, (i + 1) * size)
    )
    return app.inject({ method: 'POST', url: '/caption', headers, payload: Readable.from(chunks) })
  }
  for (const head of [
    '\r\nContent-Disposition: attachment; name="n"',
    '\r\nContent-Disposition : form-data; name="n"',
    '\r\nContent-Type: text/plain',
    ''
  ]) {
    for (const size of [Infinity, 1]) {
      const answer = await post(head, undefined, size)
      t.match(answer.json(), { status: 400, detail: /^A part of the form has no Content-Disposition: form-data/ }, head)
    }
  }
  t.equal((await post('\r\nContent-Disposition:form-data;name="num_beams" ')).statusCode, 200)
  t.equal((await post('\r\ncontent-disposition:\r\n form-data; name=num_beams')).statusCode, 200)
  t.equal((await post('\r\nCONTENT-DISPOSITION: Form-Data; name=num_beams')).statusCode, 200)
  const after = '--b--\r\n\r\nThe end\r\n\r\n--b\r\n\r\n'
  for (const size of [Infinity, 1]) {
    const answer = await post('\r\nContent-Disposition: form-data; name="num_beams"', after, size)
    t.equal(answer.statusCode, 200, 'what follows the end counts for nothing')
  }
  t.match(app.seen.works.at(-1), { numBeams: 2 })
})

t.test('limits are the same in every form, and named', async t => {
  const app = await buildTestApp(t, {
    environment: { LAVIT_MAX_IMAGE_BYTES: '100000', LAVIT_MAX_UPLOAD_BYTES: '250000' }
  })
  // decoders stop at the end of the picture
  const padded = (bytes: number) => Buffer.concat([png, Buffer.alloc(bytes - png.length)])
  const forms = {
    json: (sizes: number[]) => ({
      payload: { prompt: sizes.map(size => ({ type: 'image', image: padded(size).toString('base64') })) }
    }),
    'data URLs in lines': (sizes: number[]) => ({
      payload: {
        prompt: sizes.map(size => ({
          type: 'image',
          image: `data:image/png;base64,${padded(size)
            .toString('base64')
            .replace(/(.{76})/g, '$1\n')}`
        }))
      }
    }),
    files: (sizes: number[]) => formOf(...sizes.map(size => ({ ...image, body: padded(size) }))),
    'base64 in a form': (sizes: number[]) =>
      formOf(...sizes.map(size => ({ name: 'image', body: padded(size).toString('base64') })))
  }
  const cases: [number[], number, RegExp?][] = [
    [[100_000], 200],
    [[90_000, 90_000], 200],
    [[100_001], 413, /picture has 100001 bytes, the limit is 100000/],
    [[90_000, 90_000, 90_000], 413, /together has 270000 bytes, the limit is 250000/]
  ]
  for (const [name, form] of Object.entries(forms)) {
    for (const [sizes, status, detail] of cases) {
      const response = await app.inject({ method: 'POST', url: '/generate', ...form(sizes) })
      t.equal(response.statusCode, status, `${name} ${sizes} ${response.body.slice(0, 200)}`)
      if (detail) t.match(response.json().detail, detail, name)
    }
  }
  const raw = (bytes: number) =>
    app.inject({ method: 'POST', url: '/caption', payload: padded(bytes), headers: { 'content-type': 'image/png' } })
  t.equal((await raw(100_000)).statusCode, 200)
  t.match((await raw(100_001)).json(), { status: 413, detail: 'The picture has 100001 bytes, the limit is 100000' })
  t.match((await app.inject({ method: 'POST', url: '/caption', payload: { image: 'A'.repeat(1_500_000) } })).json(), {
    status: 413,
    detail: /body has 15000\d\d bytes, the limit is 1399600/
  })
})

t.test('the limits of a prompt are named', async t => {
  const app = await buildTestApp(t)
  const parts = Array.from({ length: 17 }, () => ({ type: 'text', text: 'a' }))
  t.match((await app.inject({ method: 'POST', url: '/generate', payload: { prompt: parts } })).json(), {
    status: 422,
    errors: [{ pointer: '/prompt', message: 'must hold at most 16 items, not 17' }]
  })
  t.match(
    (
      await app.inject({
        method: 'POST',
        url: '/generate',
        ...formOf(...parts.map(({ text }) => ({ name: 'prompt', body: text })))
      })
    ).json(),
    { status: 422, errors: [{ pointer: '/prompt', message: 'must hold at most 16 items, not 17' }] }
  )
  t.match((await app.inject({ method: 'POST', url: '/generate', payload: { prompt: 'a'.repeat(4001) } })).json(), {
    status: 413,
    detail: 'The prompt has 4001 characters, the limit is 4000'
  })
  t.match((await app.inject({ method: 'POST', url: '/generate', payload: { prompt: '😀'.repeat(4001) } })).json(), {
    status: 413,
    detail: 'The prompt has 4001 characters, the limit is 4000'
  })
})

t.test('a large picture in JSON is read as a small one is, in whatever form', async t => {
  const app = await buildTestApp(t)
  const noise = { width: 300, height: 300, channels: 3 as const }
  const pixels = Uint8Array.from({ length: 270_000 }, (_, i) => (i * i * 31) % 251)
  const large = await sharp(pixels, { raw: noise }).png({ compressionLevel: 0 }).toBuffer()
  const text = large.toString('base64')
  t.ok(text.length > 2 ** 18)
  const pixelsOf = () => {
    const work = app.seen.works.at(-1)
    return work?.task === 'tokenize' && 'pixels' in work.picture ? work.picture.pixels : undefined
  }
  await app.inject({ method: 'POST', url: '/tokenize', headers: { 'content-type': 'image/png' }, payload: large })
  const expected = pixelsOf()
  t.ok(expected)
  const readable = [
    text,
    `data:image/png;base64,${text}`,
    `data:;name=a;base64,${text}`,
    large.toString('base64url'),
    text.replace(/(.{76})/g, '$1\r\n')
  ]
  for (const image of readable) {
    const response = await app.inject({ method: 'POST', url: '/tokenize', payload: { image } })
    t.equal(response.statusCode, 200, response.body.slice(0, 200))
    t.strictSame(pixelsOf(), expected, image.slice(0, 30))
  }
  const refused: [payload: object | string, code: string, detail: RegExp][] = [
    [{ image: `${text}*` }, 'invalid_field', /image is neither a base64 data URL nor base64 text/],
    [{ image: `${text}\u00e9` }, 'invalid_field', /image is neither/],
    [{ image: `data:image/png,${text}` }, 'invalid_field', /without `;base64`/],
    [{ image: `https://a.example/${text}` }, 'invalid_field', /is a URL/],
    [{ image: [text] }, 'invalid_field', /image must be/],
    [{ other: { image: text } }, 'invalid_field', /other/],
    [`{"image": "${text}", "seed": 1,}`, 'invalid_request', /is not JSON/],
    [`{"image": "${text}\n"}`, 'invalid_request', /is not JSON/],
    [`{"image": "${text}`, 'invalid_request', /ends too early/]
  ]
  for (const [payload, code, detail] of refused) {
    const headers = { 'content-type': json }
    t.match((await app.inject({ method: 'POST', url: '/tokenize', headers, payload })).json(), { code, detail })
  }
})

t.test('large pictures are given back by the server alone: who sent them has them still', async t => {
  const app = await buildTestApp(t)
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 }
  const create = { width: 200, height: 200, channels: 3 as const, background: 'red', noise }
  const large = Buffer.from(new Uint8Array(await sharp({ create }).png().toBuffer()).buffer) // memory that can be freed
  t.ok(large.length > 50_000)
  const type = { 'content-type': 'image/png' }
  const sent = [
    { payload: large, headers: type },
    { payload: { image: `data:image/png;base64,${large.toString('base64')}` } },
    formOf({ ...image, body: large }),
    { payload: large, headers: { ...type, accept: 'image/png' } }
  ]
  for (const each of [...sent, ...sent]) {
    const response = await app.inject({ method: 'POST', url: '/tokenize', ...each })
    t.equal(response.statusCode, 200, response.body.slice(0, 200))
  }
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  for (let i = 0; i < 3; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}/tokenize`, { method: 'POST', body: large, headers: type })
    t.equal(answer.status, 200)
  }
})

t.test('a body of another length than it says is refused', async t => {
  const app = await buildTestApp(t)
  for (const type of ['image/png', json]) {
    const headers = { 'content-type': type, 'content-length': '100' }
    const response = await app.inject({ method: 'POST', url: '/tokenize', payload: png, headers })
    t.equal(response.statusCode, 400)
    t.equal(response.json().detail, 'The body has another length than Content-Length says')
  }
})
