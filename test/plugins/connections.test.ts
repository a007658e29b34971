import { once } from 'node:events'
import { METHODS } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { answerWork, buildTestApp, png } from '../helper.ts'

const host = 'Host: x\r\n'
const close = 'Connection: close\r\n'
const chunked = `POST /caption HTTP/1.1\r\n${host}Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n`

t.test('what Node answers by itself is a problem document with an id', async t => {
  const app = await buildTestApp(t)
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const send = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = ''
      connect(port, '127.0.0.1')
        .on('data', chunk => {
          answer += chunk
        })
        .on('close', () => resolve(answer))
        .on('error', reject)
        .end(text)
    })

  const cases: [string, number, string, RegExp][] = [
    ['GARBAGE\r\n\r\n', 400, 'invalid_request', /method/],
    ['FOO / HTTP/1.1\r\n\r\n', 400, 'invalid_request', /method/],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'invalid_request', /HTTP\/2/],
    [`GET / HTTP/9.9\r\n${host}\r\n`, 400, 'invalid_request', /HTTP\/1\.1/],
    [`GET /health/live HTTP/1.1\r\n${close}\r\n`, 400, 'invalid_request', /Host/],
    [`GET /nope HTTP/1.1\r\n${close}\r\n`, 400, 'invalid_request', /Host/],
    [`GET /health/live HTTP/1.1\r\n${host}${host}${close}\r\n`, 400, 'invalid_request', /Host/],
    [`GET /health/live HTTP/1.1\r\n${host}Expect: foo\r\n${close}\r\n`, 417, 'expectation_failed', /100-continue/],
    [
      `POST /caption HTTP/1.1\r\n${host}Expect: 200-ok\r\nContent-Length: 2\r\n${close}\r\n{}`,
      417,
      'expectation_failed',
      /100-continue/
    ],
    [`CONNECT example.com:443 HTTP/1.1\r\n${host}\r\n`, 405, 'method_not_allowed', /CONNECT/],
    [`PROPFIND /caption HTTP/1.1\r\n${host}${close}\r\n`, 405, 'method_not_allowed', /POST/],
    [`GET /caption#x HTTP/1.1\r\n${host}${close}\r\n`, 405, 'method_not_allowed', /POST/],
    [`GET /caption#% HTTP/1.1\r\n${host}${close}\r\n`, 405, 'method_not_allowed', /POST/],
    [`GET /foo#% HTTP/1.1\r\n${host}${close}\r\n`, 404, 'not_found', /no such route/],
    [`TRACE /models HTTP/1.1\r\n${host}${close}\r\n`, 405, 'method_not_allowed', /GET/],
    [`GET / HTTP/1.1\r\n${host}X-Big: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large', /16384/],
    [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431, 'headers_too_large', /16384/],
    [`GET /health/live HTTP/1.1\r\n${host}${close}${'a: b\r\n'.repeat(600)}\r\n`, 431, 'headers_too_large', /499/],
    [`GET / HTTP/1.1\r\n${host}bad header\r\n\r\n`, 400, 'invalid_request', /header/],
    [`POST /caption HTTP/1.1\r\n${host}Content-Length: ten\r\n\r\n`, 400, 'invalid_request', /Content-Length/],
    [
      `POST /caption HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      400,
      'invalid_request',
      /Content-Length/
    ],
    [`POST /caption HTTP/1.1\r\n${host}Transfer-Encoding: foo\r\n\r\n`, 400, 'invalid_request', /Transfer-Encoding/],
    [`${chunked}zz\r\n`, 400, 'invalid_request', /chunk/],
    [`GET / HTTP/1.1\r\n${host}`, 400, 'invalid_request', /ends too early/],
    [
      `POST /caption HTTP/1.1\r\n${host}Content-Type: image/png\r\nContent-Length: 9\r\n\r\nx`,
      400,
      'invalid_request',
      /ends too early/
    ],
    [`${chunked}9\r\nx`, 400, 'invalid_request', /ends too early/]
  ]
  for (const [text, status, code, detail] of cases) {
    const answer = await send(text)
    const name = text.slice(0, 60)
    const [head = '', body = '{}'] = answer.split('\r\n\r\n')
    t.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), name)
    t.match(head, /content-type: application\/problem\+json/i, name)
    const problem = JSON.parse(body)
    t.match(
      problem,
      { type: `urn:lavit:problem:${code}`, title: String, status, detail, code, request_id: String },
      name
    )
    t.equal(/^x-request-id: (\S+)/im.exec(head)?.[1], problem.request_id, name)
    for (const always of [/^server-timing: total;dur=/im, /^cache-control: no-store/im, /^date: .* GMT$/im]) {
      t.match(head, always, name)
    }
    t.notOk('error' in problem, name)
  }
  for (const coding of ['gzip, chunked', 'chunked, chunked', 'identity, chunked']) {
    const answer = await send(
      `POST /caption HTTP/1.1\r\n${host}${close}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`
    )
    t.match(answer, /^HTTP\/1\.1 400 [^]*"Transfer-Encoding must be chunked, and nothing else"/, coding)
  }
  t.match(await send(`GET /v1/models HTTP/1.1\r\n${host}Expect: foo\r\n${close}\r\n`), /"error":\{/)

  for (const [target, status] of [['caption', 405], ['models', 200], ['nope', 404]] as const) {
    const line = `GET http://a.example/${target}?b=http://c.example/models HTTP/1.1`
    t.match(await send(`${line}\r\n${host}${close}\r\n`), new RegExp(`^HTTP/1\\.1 ${status} `), target)
  }
  for (const type of METHODS.includes('QUERY') ? ['', 'Content-Type: application/json\r\n'] : []) {
    const head = `HTTP/1.1\r\n${host}${close}${type}\r\n`
    t.match(await send(`QUERY /models ${head}`), /^HTTP\/1\.1 405 [^]*allow: GET, HEAD, OPTIONS\r\n/i, type)
    t.match(await send(`QUERY /nope ${head}`), /^HTTP\/1\.1 404 /, type)
  }
  t.match(await send(`OPTIONS http://a.example/caption HTTP/1.1\r\n${host}${close}\r\n`), /^HTTP\/1\.1 204 /)
  const everything = await send(`OPTIONS * HTTP/1.1\r\n${host}${close}\r\n`)
  t.match(everything, /^HTTP\/1\.1 204 [^]*allow: DELETE, GET, HEAD, POST, OPTIONS\r\n/i)

  t.match(await send('GET /health/live HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /, 'HTTP/1.0 knows no Host')
  t.match(
    await send(`GET /health/live HTTP/1.1\r\n${host}${close}Upgrade: websocket\r\n\r\n`),
    /^HTTP\/1\.1 200 /,
    'an upgrade may be left alone'
  )
  const head =
    `POST /caption HTTP/1.1\r\n${host}${close}Content-Type: image/png\r\nExpect: ` +
    `100-Continue\r\nContent-Length: ${png.length}\r\n\r\n`
  t.match(await send(head + png.toString('latin1')), /^HTTP\/1\.1 100 Continue/, 'the one expectation that there is')
  t.match(
    await send(`GET /health/live HTTP/1.1\r\n${host}${close}X-Request-Id: mine\r\nExpect: foo\r\n\r\n`),
    /x-request-id: mine/
  )
})

t.test('a body that is held back is asked for once the head is in order', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_MAX_IMAGE_BYTES: '1000' } })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ask = async (line: string, headers: string) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1').on('data', part => { answer += part })
    const closed = once(socket, 'close').then(() => true)
    socket.write(`${line} HTTP/1.1\r\n${host}Expect: 100-continue\r\n${headers}\r\n`)
    while (!answer.includes('\r\n\r\n')) await once(socket, 'data')
    return { socket, closed, answer: () => answer }
  }
  const json = 'Content-Type: application/json\r\n'
  for (const [line, headers, status] of [
    ['POST /nope', `${json}Content-Length: 9\r\n`, 404],
    ['PUT /caption', `${json}Content-Length: 9\r\n`, 405],
    ['POST /caption', `${json}Accept: text/html\r\nContent-Length: 9\r\n`, 406],
    ['POST /caption', 'Content-Type: text/csv\r\nContent-Length: 9\r\n', 415],
    ['POST /detokenize', 'Content-Type: image/png\r\nContent-Length: 9\r\n', 415],
    ['POST /caption', 'Content-Type: image/png\r\nContent-Length: 1001\r\n', 413],
    ['POST /models/lavit-mini/load', `${json}Content-Length: 9\r\n`, 403]
  ] as const) {
    const { closed, answer } = await ask(line, headers)
    t.ok(await Promise.race([closed, pause(2000, false, { ref: false })]), `${line} is closed`)
    t.match(answer(), new RegExp(`^HTTP/1\\.1 ${status} [^]*connection: close\r\n`, 'i'), `${line} ${headers}`)
  }

  const body = '{"visual_tokens": [1]}'
  const { socket, answer } = await ask('POST /detokenize', `${json}Content-Length: ${body.length}\r\n`)
  t.equal(answer(), 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write(body)
  while (!answer().includes('"images"')) await once(socket, 'data')
  t.match(answer().slice(25), /^HTTP\/1\.1 200 /)
  t.notMatch(answer(), /connection: close/i, 'which may ask again')
  socket.destroy()
})

t.test('what is no HTTP behind a request takes nothing from its answer', async t => {
  const app = await buildTestApp(t, {
    async submit (work, options) {
      await new Promise(resolve => setTimeout(resolve, 20))
      return answerWork(work, options)
    }
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const body = '{"visual_tokens": [1]}'
  const type = 'Content-Type: application/json\r\n'
  const request = `POST /detokenize HTTP/1.1\r\n${host}${type}Content-Length: ${body.length}\r\n\r\n`
  const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  for (const [requests, expected] of [[1, ['200', '400']], [3, ['200', '200', '200', '400']]] as const) {
    let answer = ''
    const socket = connect(port, '127.0.0.1').on('data', part => { answer += part })
    const closed = once(socket, 'close')
    socket.write(`${(request + body).repeat(requests)}GARBAGE GARBAGE\r\n\r\n`)
    await closed
    t.strictSame(statuses(answer), expected)
    t.match(answer, /"code":"invalid_request"/)
  }
  t.equal(app.seen.loans, 0)
})

t.test('who has connected and asks nothing does not hold up the end, nor cuts off who waits', async t => {
  let release = () => {}
  const app = await buildTestApp(t, {
    async submit (work, options) {
      await new Promise<void>(resolve => { release = resolve })
      return answerWork(work, options)
    }
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const open = async (text: string) => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.resume().write(text)
    return once(socket, 'close')
  }
  const ends = Promise.all([open(''), open('GET /health/live HTTP/1.1\r\nHo')])
  const answer = fetch(`http://127.0.0.1:${port}/detokenize`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"visual_tokens": [1]}'
  })
  while (app.seen.works.length === 0) await pause(5)
  const from = performance.now()
  const closed = app.close()
  await pause(1500)
  release()
  t.equal((await answer).status, 200)
  await Promise.race([Promise.all([closed, ends]), pause(10_000, undefined, { ref: false })])
  t.ok(performance.now() - from < 8000, `${performance.now() - from} ms`)
})
