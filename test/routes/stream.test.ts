// covers: src/plugins/events.ts src/tasks/deltas.ts
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { ServerError } from '../../src/errors.ts'
import type { Part, Work } from '../../src/pipe/work.ts'
import type { SubmitOptions } from '../../src/pipe/engine-client.ts'
import { eventsOf, textOf } from '../fixtures/events.ts'
import { answerWork, base64, buildTestApp } from '../helper.ts'

const json = { 'content-type': 'application/json' }
const drawn = { num_beams: 1, seed: 7 }
const caption = { image: base64, ...drawn }
const queued: Part = { kind: 'queued', position: 0 }
const tokens = [...' two cats '].map(character => ({
  kind: 'token' as const,
  sample: 0,
  tokenId: character.charCodeAt(0)
}))
const picture: Part[] = [305, 1, 306].map(tokenId => ({ kind: 'token', sample: 0, tokenId }))
const steps = [1, 2].map(step => ({ kind: 'step' as const, sample: 0, step, of: 2 }))

/** Tells what a request has so far, then answers. */
const tellWork = async (work: Work, options: SubmitOptions) => {
  const parts = work.task === 'text' ? [{ ...queued, position: 2 }, queued, ...tokens] : [queued, ...picture, ...steps]
  for (const part of parts) options.onPart?.(part)
  await pause(1)
  return answerWork(work, options)
}

/** Says that it is queued, then holds its answer until the signal ends it. */
const holdWork = async (_work: Work, { onPart, signal }: SubmitOptions) => {
  onPart?.(queued)
  return new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

t.test('a text comes in pieces, and its end is the answer', async t => {
  const app = await buildTestApp(t, { submit: tellWork })
  for (const [url, payload] of [
    ['/caption', caption],
    ['/vqa', { ...caption, question: 'what?' }]
  ] as const) {
    const whole = await app.inject({ method: 'POST', url, payload })
    const ways = [
      { payload: { ...payload, stream: true } },
      { payload, headers: { accept: 'text/event-stream' } },
      { payload: { ...payload, stream: true }, headers: { accept: 'application/json' } }
    ]
    for (const way of ways) {
      const response = await app.inject({ method: 'POST', url, ...way })
      t.equal(response.statusCode, 200, response.body)
      t.match(response.headers, {
        'content-type': /^text\/event-stream/,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-request-id': String
      })
      const events = eventsOf(response.body)
      t.strictSame(events.slice(0, 2), [
        { event: 'queued', data: '{"position":2}' },
        { event: 'queued', data: '{"position":0}' }
      ])
      t.ok(events.filter(({ event }) => event === 'token').length > 1)
      t.equal(textOf(events), 'two cats')
      t.strictSame(
        events.filter(({ event }) => event === 'done' || event === 'error'),
        [events.at(-1)]
      )
      t.strictSame(events.at(-1), { event: 'done', data: whole.body }, 'byte for byte')
    }
  }
})

t.test('texts that can still change come whole, when they are chosen', async t => {
  const app = await buildTestApp(t, { submit: tellWork })
  const cases: [object, string[]][] = [
    [{ num_beams: 3, n: 2 }, ['two cats', 'two cats']],
    [{ ...drawn, temperature: 1, n: 2 }, ['two cats', 'two cats']],
    [{ ...drawn, postprocess: 'first_sentence' }, ['two cats']],
    [{ ...drawn, postprocess: 'lemmatised_answer' }, ['two cat']]
  ]
  for (const [options, texts] of cases) {
    const { body } = await app.inject({
      method: 'POST',
      url: '/caption',
      payload: { image: base64, ...options, stream: true }
    })
    const told = eventsOf(body)
      .filter(({ event }) => event === 'token')
      .map(({ data }) => JSON.parse(data))
    t.strictSame(
      told,
      texts.map((delta, index) => ({ index, delta })),
      JSON.stringify(options)
    )
  }
})

t.test('a picture tells its visual tokens and steps', async t => {
  const app = await buildTestApp(t, { submit: tellWork })
  const payload = { prompt: 'x', seed: 7 }
  const whole = await app.inject({ method: 'POST', url: '/generate', payload })
  const { body } = await app.inject({ method: 'POST', url: '/generate', payload: { ...payload, stream: true } })
  t.strictSame(
    eventsOf(body).map(({ event, data }) => [event, event === 'done' ? data : JSON.parse(data)]),
    [
      ['queued', { position: 0 }],
      ['token', { index: 0, visual_token: 3, count: 1 }],
      ['token', { index: 0, visual_token: 4, count: 2 }],
      ['step', { index: 0, step: 1, of: 2 }],
      ['step', { index: 0, step: 2, of: 2 }],
      ['done', whole.body]
    ]
  )
})

t.test('stream and Accept', async t => {
  const app = await buildTestApp(t)
  const post = (url: string, payload: object, accept: string) =>
    app.inject({ method: 'POST', url, payload, headers: { accept } })
  t.equal((await post('/caption', { ...caption, stream: false }, 'text/event-stream')).statusCode, 406)
  t.match(
    (await post('/caption', { ...caption, stream: false }, 'text/event-stream, */*;q=0.1')).headers['content-type'],
    'application/json'
  )
  t.match((await post('/caption', caption, '*/*')).headers['content-type'], 'application/json')
  t.match(
    (await post('/generate', { prompt: 'x', n: 2 }, 'text/event-stream')).headers['content-type'],
    'text/event-stream'
  )
  t.equal((await post('/tokenize', { image: base64 }, 'text/event-stream')).statusCode, 406)
  t.match((await post('/generate', { prompt: 'x', previews: 5 }, '*/*')).json(), {
    code: 'invalid_field',
    errors: [{ pointer: '/previews' }]
  })
})

t.test('what is refused before the first event keeps its status', async t => {
  const full = await buildTestApp(t, {
    submit: async () => {
      throw new ServerError('queue_full', 'Full', { retryAfterSeconds: 3 })
    }
  })
  const post = (payload: object) =>
    full.inject({ method: 'POST', url: '/caption', payload: { ...payload, stream: true } })
  const refused = await post(caption)
  t.equal(refused.statusCode, 429)
  t.match(refused.headers, { 'content-type': /^application\/problem\+json/, 'retry-after': '3' })
  t.equal((await post({ image: 'iVBORw0KGgo=' })).statusCode, 422)
  t.equal((await post({ ...caption, model: 'nope' })).statusCode, 404)
  t.equal((await post({ ...caption, top_p: 2 })).statusCode, 422)
})

t.test('every failure after the first event is one error, at the end', async t => {
  const failures: [unknown, object][] = [
    [new ServerError('engine_restarting', 'The engine process ended'), { status: 503, code: 'engine_restarting' }],
    [new Error('a secret'), { status: 500, code: 'internal_error' }]
  ]
  for (const [failure, problem] of failures) {
    const app = await buildTestApp(t, {
      async submit (_work, { onPart }) {
        onPart?.(queued)
        throw failure
      }
    })
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/caption',
      payload: { ...caption, stream: true }
    })
    const events = eventsOf(body)
    t.equal(statusCode, 200)
    t.strictSame(
      events.map(({ event }) => event),
      ['queued', 'error']
    )
    t.match(JSON.parse(events[1]!.data), { type: String, title: String, request_id: String, ...problem })
    t.notMatch(body, 'secret')
    t.equal(app.seen.loans, 0)
  }
})

t.test('so are a deadline and a drain, and comments keep the connection until then', async t => {
  const app = await buildTestApp(t, { submit: holdWork, environment: { LAVIT_SSE_KEEPALIVE_MS: '5' } })
  const late = await app.inject({
    method: 'POST',
    url: '/caption',
    payload: { ...caption, stream: true, deadline_ms: 300 }
  })
  t.match(late.body, /^:$/m)
  t.strictSame(
    eventsOf(late.body).map(({ event }) => event),
    ['queued', 'error']
  )
  t.match(JSON.parse(eventsOf(late.body)[1]!.data), { status: 504, code: 'deadline_exceeded' })
  const drained = app.inject({ method: 'POST', url: '/generate', payload: { prompt: 'x', stream: true } })
  while (app.seen.works.length < 2) await pause(5)
  app.endJobs(new ServerError('draining', 'The server shut down before the work was done'))
  const events = eventsOf((await drained).body)
  t.strictSame(
    events.map(({ event }) => event),
    ['queued', 'error']
  )
  t.match(JSON.parse(events[1]!.data), { status: 503, code: 'draining' })
})

t.test('a client that leaves cancels its work', async t => {
  const app = await buildTestApp(t, { submit: holdWork })
  const base = await app.listen({ port: 0, host: '127.0.0.1' })
  for (let round = 0; round < 20; round++) {
    const controller = new AbortController()
    const response = await fetch(`${base}/caption`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ ...caption, stream: true }),
      signal: controller.signal
    })
    await response.body!.getReader().read()
    controller.abort()
  }
  while (app.seen.loans > 0 || !app.seen.options.every(({ signal }) => signal?.aborted)) await pause(5)
  t.equal(app.seen.works.length, 20)
})

t.test('a reader that stops holds no loan, and gets all when it goes on', async t => {
  const many = Array.from({ length: 50_000 }, (_, i) => ({ kind: 'step' as const, sample: 0, step: i + 1, of: 50_000 }))
  const app = await buildTestApp(t, {
    async submit (work, options) {
      for (const part of many) options.onPart?.(part)
      return answerWork(work, options)
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const body = JSON.stringify({ prompt: 'x', stream: true })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.pause()
  socket.write(
    'POST /generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ' +
      `${body.length}\r\n\r\n${body}`
  )
  while (app.seen.works.length === 0 || app.seen.loans > 0) await pause(5)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  t.equal(text.match(/^event: step$/gm)?.length, many.length)
  t.equal(text.match(/^event: (done|error)$/gm)?.length, 1)
})
