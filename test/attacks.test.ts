/** Attacks that have hurt servers of models, by their numbers in docs/attacks.md, where no other test has them. */
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { tellsOfInside } from './fixtures/inside.ts'
import { base64, buildTestApp, form, png } from './helper.ts'

const root = join(import.meta.dirname, '..')
const table = readFileSync(join(root, 'docs/attacks.md'), 'utf8')

t.test('docs/attacks.md has a row for each class, and names tests and files that are there', async t => {
  const numbers = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number))
  t.strictSame(numbers, Array.from({ length: 28 }, (_, i) => i + 1))
  for (const page of ['docs/attacks.md', 'docs/promises.md']) {
    const text = readFileSync(join(root, page), 'utf8')
    for (const [name] of text.matchAll(/\b(test|src|bench)\/[\w./-]+\.ts\b/g)) t.ok(existsSync(join(root, name)), name)
  }
})

t.test('requests of one kind or another are refused, and tell nothing of the inside', async t => {
  const app = await buildTestApp(t)
  const many = <T>(value: T, count = 10_000) => Array.from({ length: count }, () => value)
  const image = { type: 'image', image: base64 }
  const json: Record<string, [url: string, payload: object | string, status: number][]> = {
    '5 many items': [
      ['/generate', { prompt: many(image) }, 422],
      ['/generate', { prompt: many({ type: 'visual_tokens', visual_tokens: [1] }) }, 422],
      ['/detokenize', { visual_tokens: many(1) }, 422],
      ['/caption', { image: many(base64) }, 422],
      ['/v1/chat/completions', { messages: many({ role: 'user', content: 'a' }) }, 422]
    ],
    '8 visual tokens out of range': [
      ...[[-1], [100], [1.5], [2 ** 53], [1e300], ['1'], [null], [[1]], [true]].map(
        tokens => ['/detokenize', { visual_tokens: tokens }, 422] as [string, object, number]
      ),
      ['/detokenize', '{"visual_tokens": [NaN]}', 400],
      ['/detokenize', '{"visual_tokens": [1e999]}', 422],
      ['/detokenize', { visual_tokens: many(1, 17) }, 422],
      ['/detokenize', { visual_tokens: [] }, 422],
      ['/caption', { visual_tokens: [302] }, 422],
      ['/tokenize', { image: base64, keep_mask: [true] }, 422]
    ],
    '10 serialised tensors': [
      ['/caption', { image: { features: base64 } }, 422],
      ['/caption', { image: Buffer.from('\x80\x04\x95.').toString('base64') }, 415],
      ['/caption', { image: Buffer.from('\x93NUMPY\x01\0v\0{}').toString('base64') }, 415]
    ],
    '12 amplification': [
      ['/generate', { prompt: 'a', n: 16_384 }, 422],
      ['/generate', { prompt: 'a', steps: 1e9 }, 422],
      ['/caption', { image: base64, max_tokens: 1e9 }, 422],
      ['/caption', { image: base64, num_beams: 16_384 }, 422]
    ],
    '13 output size': ['100000x10000', '-8x8', '8e9x8', '0x0', '9x9', '8x8x8', '../8x8', 'auto\0'].map(
      size => ['/generate', { prompt: 'a', size }, 422] as [string, object, number]
    ),
    '24 paths in names': [
      ['/caption', { image: base64, model: '../lavit-mini' }, 404],
      ['/caption', { image: base64, model: 'lavit-mini/../../etc' }, 404],
      ['/caption', { image: { ref: '../../etc/passwd' } }, 410],
      ['/models/..%2f..%2fetc/load', {}, 403]
    ]
  }
  for (const [name, requests] of Object.entries(json)) {
    t.test(name, async t => {
      for (const [url, payload, status] of requests) {
        const headers = { 'content-type': 'application/json' }
        const answer = await app.inject({ method: 'POST', url, headers, payload })
        t.equal(answer.statusCode, status, `${JSON.stringify(payload).slice(0, 60)} ${answer.body.slice(0, 200)}`)
        t.match(answer.json(), { status, code: String, request_id: String })
        t.notOk(tellsOfInside(answer.body), answer.body.slice(0, 200))
        t.ok(answer.body.length < 50_000, 'and the answer is not larger than it must be')
      }
    })
  }
  t.equal(app.seen.works.length, 0, 'nothing was worked on')
})

t.test('6 degenerate pictures have an answer each', async t => {
  const app = await buildTestApp(t)
  const blank = (width: number, height: number, channels: 3 | 4 = 3) =>
    sharp({ create: { width, height, channels, background: { r: 1, g: 2, b: 3, alpha: 0.5 } } })
  const pictures: [Buffer, number][] = [
    [await blank(1, 1).png().toBuffer(), 200],
    [await blank(1, 65_535).png().toBuffer(), 200],
    [await blank(65_000, 1).jpeg().toBuffer(), 200],
    [await blank(3, 3, 4).toColourspace('rgb16').png().toBuffer(), 200],
    [await blank(3, 3).toColourspace('cmyk').jpeg().toBuffer(), 200],
    [await blank(3, 3).toColourspace('b-w').png().toBuffer(), 200],
    [await blank(9000, 9000).png().toBuffer(), 413],
    [png.subarray(0, 30), 422],
    [Buffer.concat([png.subarray(0, 8), Buffer.alloc(100)]), 422],
    [Buffer.from('%PDF-1.7'), 415],
    [Buffer.from('II*\0'), 415],
    [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 415],
    [Buffer.alloc(0), 400]
  ]
  for (const [payload, status] of pictures) {
    const headers = { 'content-type': 'image/png' }
    const answer = await app.inject({ method: 'POST', url: '/tokenize', headers, payload })
    t.equal(answer.statusCode, status, answer.body.slice(0, 200))
    t.notOk(tellsOfInside(answer.body), answer.body.slice(0, 200))
  }
})

t.test('11, 28 nothing listens, evaluates or runs a shell but what has to', async t => {
  for (const name of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const text = readFileSync(join(root, 'src', name), 'utf8')
    t.notMatch(text, /\bnew Function\b|\beval\(|(?<!\.)\bexec(Sync)?\(|shell: true|node:vm|\bdeserialize\(/, name)
    if (name !== join('devices', 'command.ts')) t.notMatch(text, /\bexecFile(Sync)?\(/, name) // no word of a client's
    if (!['server.ts'].includes(name)) t.notMatch(text, /\.listen\(/, name)
  }
})

t.test('15 forms that are none, and large ones in parts', async t => {
  const app = await buildTestApp(t)
  const begin = '--b\r\nContent-Disposition: form-data; name='
  const part = (name: string, body: string) => `${begin}"${name}"\r\n\r\n${body}\r\n`
  const whole = form([['image', png]]).payload.toString('latin1').replaceAll('x-boundary', 'b')
  const cases: [type: string, body: string, status: number][] = [
    [`multipart/form-data; boundary=${'b'.repeat(10_000)}`, whole, 400],
    ['multipart/form-data; boundary=', whole, 400],
    ['multipart/form-data; boundary="b', whole, 200],
    ['multipart/form-data; boundary=b', part('n', '1').repeat(2000) + '--b--\r\n', 413],
    ['multipart/form-data; boundary=b', whole.replace(/--b--\r\n$/, ''), 400],
    ['multipart/form-data; boundary=b', whole.replace(/--b--\r\n$/, `${part('num_beams', '1')}--b--\r\n`), 200],
    ['multipart/form-data; boundary=b', `--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${whole}`, 400],
    ['multipart/form-data; boundary=b', part('n'.repeat(50_000), '1') + '--b--\r\n', 400],
    ['multipart/form-data; boundary=b', part('__proto__', '1') + '--b--\r\n', 422]
  ]
  for (const [type, payload, status] of cases) {
    const headers = { 'content-type': type }
    const bytes = Buffer.from(payload, 'latin1')
    const answer = await app.inject({ method: 'POST', url: '/caption', headers, payload: bytes })
    const may = status === 400 ? [400, 422] : [status]
    t.ok(may.includes(answer.statusCode), `${type.slice(0, 50)} ${payload.slice(0, 50)} ${answer.body}`)
    t.notOk(tellsOfInside(answer.body), answer.body.slice(0, 200))
  }
})

t.test('16 a type that is written in another way is read as that type, or refused', async t => {
  const app = await buildTestApp(t)
  const wrong = JSON.stringify({ visual_tokens: [1], x: 1 })
  const types = [
    'application/json',
    'APPLICATION/JSON',
    ' application/json',
    'application/json;',
    'application/json\t;a=b',
    'application/json; charset=utf-8',
    'application/jsonx',
    'application/json, text/plain',
    'application/ json',
    'text/json',
    'a'
  ]
  for (const type of types) {
    const headers = { 'content-type': type }
    const answer = await app.inject({ method: 'POST', url: '/detokenize', headers, payload: wrong })
    t.ok([415, 422].includes(answer.statusCode), `${type} ${answer.body}`)
  }
  t.equal(app.seen.works.length, 0, 'never unchecked')
})

t.test('14 a body in very many chunks is read, and headers without end are not', async t => {
  const app = await buildTestApp(t)
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const open = () => connect(port, '127.0.0.1').on('error', () => {})
  const body = JSON.stringify({ visual_tokens: [1], size: '8x8' }) + ' '.repeat(100_000)
  const chunked = open()
  const type = 'Content-Type: application/json'
  chunked.write(`POST /detokenize HTTP/1.1\r\nHost: x\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\n`)
  chunked.write([...body].map(character => `1\r\n${character}\r\n`).join('') + '0\r\n\r\n')
  t.match(String((await once(chunked, 'data'))[0]), /^HTTP\/1\.1 200 /)
  chunked.destroy()
  const endless = open()
  endless.write('GET / HTTP/1.1\r\nHost: x\r\n')
  const answer = once(endless, 'data')
  for (let i = 0; i < 1100 && endless.writable; i++) endless.write(`a${i}: ${'b'.repeat(1000)}\r\n`)
  t.match(String((await answer)[0]), /^HTTP\/1\.1 431 /)
  endless.destroy()
})
