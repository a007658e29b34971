/** The client against the server and the model that the repository ships, and against one that refuses. */
import { createHash } from 'node:crypto'
import { appendFileSync, openAsBlob, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { ServerError } from '../../../src/errors.ts'
import { startApp } from '../../../test/fixtures/embedded-app.ts'
import { answerWork, buildTestApp } from '../../../test/helper.ts'
import { bytesOf, createClient, LavitError, type Picture } from '../src/index.ts'

const file = new URL('../../../test/fixtures/scene.png', import.meta.url) // a dog above a rocket, on blue
const image = readFileSync(file)
const tokens = [7, 8, 9]
const eventStream = { 'content-type': 'text/event-stream' }

t.test('every job of the server', async t => {
  const app = await startApp(t)
  const lavit = createClient({ url: await app.listen({ port: 0 }) })
  const answerOf = async (url: string, payload: object) => (await app.inject({ method: 'POST', url, payload })).json()
  const base64 = image.toString('base64')

  t.test('a picture may be given in any form, and is the same picture', async t => {
    const { image_ref: ref = '', visual_tokens: expected, usage } = await lavit.tokenize({ image })
    t.strictSame(usage, { visual_tokens: expected.length, patches: 64 })
    const forms: Record<string, Picture> = {
      ref: { ref },
      path: { path: fileURLToPath(file) },
      'URL of a file': file,
      'data URL': new URL(`data:image/png;base64,${base64}`),
      base64,
      ArrayBuffer: new Uint8Array(image).buffer,
      Blob: new Blob([image])
    }
    for (const [name, form] of Object.entries(forms)) {
      t.strictSame((await lavit.tokenize({ image: form })).visual_tokens, expected, name)
    }
  })

  t.test('answers in JSON are those of the server', async t => {
    const question = 'how many objects are there?'
    t.strictSame((await lavit.vqa({ image, question, seed: 1 })).answers[0]?.text, 'two')
    t.strictSame(
      await lavit.caption({ image, num_beams: 1, seed: 1 }),
      await answerOf('/caption', { image: base64, num_beams: 1, seed: 1 })
    )
    const { visual_tokens: visualTokens } = await lavit.tokenize({ image })
    t.equal((await lavit.caption({ visual_tokens: visualTokens })).approximate, true)
    t.strictSame(
      await lavit.detokenize({ visual_tokens: visualTokens, seed: 7 }),
      await answerOf('/detokenize', { visual_tokens: visualTokens, seed: 7 })
    )
    const text = { type: 'text' as const, text: 'on a red background' }
    t.strictSame(
      await lavit.generate({ prompt: [{ type: 'image', image }, text], seed: 7 }),
      await answerOf('/generate', { prompt: [{ type: 'image', image: base64 }, text], seed: 7 })
    )
  })

  t.test('pictures come as files', async t => {
    const kept = await lavit.tokenizePicture({ image })
    t.match(await sharp(kept.bytes).metadata(), { format: 'png', width: 192 })
    t.match(kept, { mediaType: 'image/png', seed: undefined })

    const request = { prompt: 'a rocket on a blue background', seed: 7, format: 'webp' } as const
    const painted = await lavit.generatePicture(request)
    t.match(painted, { mediaType: 'image/webp', seed: 7 })
    const [told] = (await lavit.generate(request)).images
    t.ok(told && Buffer.from(bytesOf(told)).equals(painted.bytes))
    const again = await lavit.detokenizePicture({ visual_tokens: told?.visual_tokens ?? [], seed: 7 })
    t.match(await sharp(again.bytes).metadata(), { format: 'png', width: 96 })
  })

  t.test('streams tell what comes, and end with the whole answer', async t => {
    const request = { image, num_beams: 1, seed: 1 }
    let text = ''
    const names = new Set<string>()
    for await (const event of lavit.captionStream(request)) {
      names.add(event.event)
      if (event.event === 'token') text += event.data.delta
      if (event.event === 'done') t.strictSame(event.data, await lavit.caption(request))
    }
    t.match(text, /dog/)
    t.strictSame([...names], ['queued', 'token', 'done'])

    const counts: Record<string, number> = {}
    for await (const event of lavit.generateStream({ prompt: 'a rocket', seed: 7, steps: 4, previews: 1 })) {
      counts[event.event] = (counts[event.event] ?? 0) + 1
      if (event.event === 'preview') t.ok(bytesOf(event.data).length > 100)
    }
    t.match(counts, { preview: 1, step: 4, done: 1 })
    for await (const event of lavit.vqaStream({ image, question: 'how many objects are there?' })) {
      if (event.event === 'done') t.equal(event.data.answers[0]?.text, 'two')
    }
  })

  t.test('errors are problems', async t => {
    const error = await lavit.generate({ prompt: 'a dog', top_p: 2 }).catch(error => error)
    t.type(error, LavitError)
    t.match(error, { status: 422, code: 'invalid_field', errors: [{ pointer: '/top_p' }], requestId: String })
    t.match(error, { message: /top_p/, problem: { type: /invalid_field/ }, retryAfter: undefined })
    await t.rejects(lavit.tokenize({ image: new Uint8Array(9) }), { code: 'unsupported_media_type', status: 415 })
    await t.rejects(lavit.caption({ image: { ref: 'img_none' } }), { code: 'image_ref_expired', status: 410 })
    await t.rejects(lavit.caption({ image, deadline_ms: 1, num_beams: 16 }), { code: 'deadline_exceeded' })
    const early = lavit.captionStream({ image, top_k: -1 })
    await t.rejects(read(early), { code: 'invalid_field' }, 'before a stream begins')
    const late = lavit.generateStream({ prompt: 'a dog', deadline_ms: 100, steps: 50, n: 8 })
    await t.rejects(read(late), { code: 'deadline_exceeded', status: 504, requestId: String }, 'within it')
    await t.rejects(lavit.tokenize({ image: { path: '/nowhere.png' } }), { code: 'picture_unreadable', status: 0 })
  })

  t.test('whoever leaves ends the work', async t => {
    const long = { prompt: 'a dog', steps: 50, n: 8 }
    let left = 0
    const isEnded = async (name: string) => {
      const ended = [`lavit_request_duration_seconds_count{route="/generate",method="POST",status="499"} ${++left}\n`]
      ended.push('lavit_running{model="lavit-mini"} 0\n')
      for (;;) {
        const { body } = await app.inject('/metrics')
        if (ended.every(line => body.includes(line))) return t.pass(name)
        await new Promise(resolve => setTimeout(resolve, 25))
      }
    }
    for await (const { event } of lavit.generateStream(long)) if (event === 'step') break
    await isEnded('a stream')
    await t.rejects(lavit.generate(long, { timeoutMs: 1000 }), { name: 'TimeoutError' })
    await isEnded('a call with too little time')
    await t.rejects(read(lavit.generateStream(long, { timeoutMs: 1000 })), { name: 'TimeoutError' })
    await isEnded('a stream with too little time')
    const leaving = new AbortController()
    const call = lavit.generate(long, { signal: leaving.signal })
    setTimeout(() => leaving.abort(new Error('enough')), 1000)
    await t.rejects(call, { message: 'enough' })
    await isEnded('a call whose signal says so')
  })

  t.test('what a job would come to', async t => {
    const { image_ref: ref = '', visual_tokens: tokens } = await lavit.tokenize({ image })
    const told = await lavit.estimate({ job: 'caption', request: { image: { ref } } })
    t.match(told, { job: 'caption', usage: { visual_tokens: tokens.length }, cost: Number, seconds: Number })
    const prompt = [{ type: 'image' as const, image }, { type: 'text' as const, text: 'on a red background' }]
    t.match(await lavit.estimate({ job: 'generate', request: { prompt } }), { job: 'generate' })
    await t.rejects(lavit.estimate({ job: 'vqa', request: { image, question: '' } }), { code: 'invalid_field' })
  })

  t.test('models and health', async t => {
    t.match(await lavit.models(), { default: 'lavit-mini', models: [{ name: 'lavit-mini', state: 'ready' }] })
    t.equal((await lavit.model('lavit-mini')).limits?.codebook_size, 65536)
    await t.rejects(lavit.model('no/such'), { code: 'model_not_found' })
    t.match(await lavit.health(), { status: 'ok' })
    t.match(await lavit.health('startup'), { status: 'ok' })
    await t.rejects(lavit.unloadModel('lavit-mini'), { code: 'forbidden' })
  })
})

t.test('what is refused for a while is tried again, as often as one likes', async t => {
  let refusals = 0
  let tries = 0
  const app = await buildTestApp(t, {
    async submit (work, options) {
      tries++
      if (refusals-- > 0) throw new ServerError('queue_full', 'busy', { retryAfterSeconds: 1 })
      return answerWork(work, options)
    }
  })
  const statuses: number[] = []
  const url = await app.listen({ port: 0 })
  const lavit = createClient({ url, onResponse: ({ status }) => statuses.push(status) })
  const after = (count: number) => {
    refusals = count
    tries = 0
  }

  after(1)
  t.match(await lavit.caption({ image }), { captions: [{ text: String }] })
  t.strictSame(statuses, [429, 200])
  after(1)
  t.match(await read(lavit.captionStream({ image })), { event: 'done' }, 'a stream that has not begun')
  after(1)
  await t.rejects(lavit.caption({ image }, { retries: 0 }), { code: 'queue_full', status: 429, retryAfter: 1 })
  after(5)
  await t.rejects(lavit.caption({ image }, { retries: 1 }), { code: 'queue_full' })
  t.equal(tries, 2)
  after(5)
  await t.rejects(lavit.caption({ image }, { timeoutMs: 100 }), { name: 'TimeoutError' }, 'within its time')
  const impatient = createClient({ url, longestPause: 0.5 })
  after(1)
  await t.rejects(impatient.caption({ image }), { code: 'queue_full' }, 'a pause too long')
})

t.test('a key is sent, and what needs one is refused without', async t => {
  const keys = [{ name: 'a', sha256: createHash('sha256').update('secret').digest('hex'), scopes: ['infer', 'admin'] }]
  const file = `${t.testdir({ 'keys.json': JSON.stringify(keys) })}/keys.json`
  const app = await buildTestApp(t, { environment: { LAVIT_KEYS_FILE: file } })
  const url = await app.listen({ port: 0 })
  await t.rejects(createClient({ url }).detokenize({ visual_tokens: tokens }), { status: 401, code: 'unauthorized' })
  const lavit = createClient({ url: `${url}/`, apiKey: 'secret', headers: { 'x-request-id': 'of-the-client' } })
  t.match(await lavit.detokenize({ visual_tokens: tokens }), { images: [{ visual_tokens: tokens }] })
  t.match(await lavit.loadModel('lavit-mini'), { name: 'lavit-mini' })
  t.match(await lavit.unloadModel('lavit-mini'), { name: 'lavit-mini' })
  const error = await lavit.caption({ image: '!' }).catch(error => error)
  t.equal(error.requestId, 'of-the-client')
})

t.test('what no server of this kind answers', async t => {
  const answers: [status: number, headers: Record<string, string>, body: string][] = []
  const url = await serve(t, answers)
  const lavit = createClient({ url })
  answers.push([502, { 'x-request-id': 'of-a-proxy' }, '<h1>Bad gateway</h1>'])
  await t.rejects(lavit.models(), { status: 502, code: 'unexpected_answer', message: /Bad/, requestId: 'of-a-proxy' })
  answers.push([200, {}, '<h1>Welcome</h1>'])
  await t.rejects(lavit.models(), { status: 200, code: 'unexpected_answer' })
  answers.push([301, { location: `${url}/elsewhere` }, '<h1>Moved</h1>'], [200, {}, '{"captions": []}'])
  const moved = /^the answer is 301 to http:.*\/elsewhere: <h1>Moved/
  await t.rejects(lavit.caption({ image }), { status: 301, code: 'unexpected_answer', message: moved })
  t.match(await lavit.caption({ image }), { captions: [] }, 'the redirect was not followed')
  answers.push([503, { 'retry-after': new Date().toUTCString() }, ''], [200, {}, '{"models": []}'])
  t.match(await lavit.models(), { models: [] }, 'a date says when, too')
  const short = JSON.stringify({ code: 'slow_down', detail: 'too much' })
  answers.push([429, { 'retry-after': '0', 'x-request-id': 'a' }, short], [200, {}, '{"models": []}'])
  t.match(await lavit.models(), { models: [] }, 'a problem without its status is one of its answer')
  answers.push([400, { 'x-request-id': 'a' }, short])
  await t.rejects(lavit.models(), { code: 'slow_down', status: 400, requestId: 'a', message: 'too much' })
  answers.push([503, {}, 'no'])
  await t.rejects(lavit.models(), { code: 'unexpected_answer' }, 'not tried again where nobody asks for it')
  answers.push([200, eventStream, 'event: queued\ndata: {"position":0}\n\n'])
  await t.rejects(read(lavit.captionStream({ image })), { code: 'stream_broken', status: 0 })
  answers.push([200, { ...eventStream, 'content-length': '1000' }, 'event: queued\ndata: {"position":0}\n\n'])
  await t.rejects(read(lavit.captionStream({ image })), { code: 'stream_broken' }, 'a connection that breaks')
  for (const event of ['event: token\ndata: {\n\n', 'event: error\ndata: null\n\n', 'event: error\ndata: {}\n\n']) {
    answers.push([200, eventStream, event])
    await t.rejects(read(lavit.captionStream({ image })), { name: 'LavitError', code: 'unexpected_answer' }, event)
  }
  const page = { code: 'unexpected_answer', status: 200, message: /Log in/ }
  answers.push([200, { 'content-type': 'text/html' }, '<h1>Log in</h1>'])
  await t.rejects(read(lavit.captionStream({ image })), page, 'in place of a stream')
  answers.push([200, { 'content-type': 'text/html' }, '<h1>Log in</h1>'])
  await t.rejects(lavit.generatePicture({ prompt: 'a dog' }), page, 'in place of a picture')
  const nobody = createClient({ url: await leftAddress(), retries: 1 })
  await t.rejects(nobody.models(), { code: 'connection_failed', status: 0, message: /ECONNREFUSED/ })
})

t.test('a server that is silent for longer than fetch waits is not asked again', async t => {
  let tries = 0
  const server = createServer((request, response) => {
    tries++
    if (request.headers.accept === 'text/event-stream') response.setHeaders(new Headers(eventStream))
    if (request.url !== '/estimate') response.write('event: queued\ndata: {"position":0}\n\n')
  })
  t.teardown(() => server.close().closeAllConnections())
  const lavit = createClient({ url: await listen(server), fetch: await fetchOfLittlePatience(200) })
  const timedOut = { name: 'LavitError', code: 'timed_out', status: 0 }
  await t.rejects(lavit.estimate({ job: 'caption', request: { image } }), timedOut, 'before the head of the answer')
  await t.rejects(lavit.caption({ image }), timedOut, 'within an answer')
  await t.rejects(read(lavit.captionStream({ image })), timedOut, 'within a stream')
  t.equal(tries, 3, 'once each')
})

t.test('options that are undefined are as those not given', async t => {
  let tries = 0
  let answersAt = 4
  const fetch: typeof globalThis.fetch = async () =>
    ++tries < answersAt ? new Response('', { status: 503, headers: { 'retry-after': '0' } }) : new Response('{}')
  const unset: object = { retries: undefined, timeoutMs: undefined, signal: undefined, headers: undefined }
  t.strictSame(await createClient({ retries: 3, fetch }).models(unset), {}, 'tries of the client')
  t.equal(tries, 4)
  answersAt = Infinity
  tries = 0
  await t.rejects(createClient({ ...unset, fetch }).models(unset), { code: 'unexpected_answer' }, 'those of neither')
  t.equal(tries, 3)
  tries = 0
  const probe = createClient({ retries: 3, fetch }).health('ready', unset)
  await t.rejects(probe, { code: 'unexpected_answer' }, 'those of a probe')
  t.equal(tries, 1)
  const brief = createClient({ timeoutMs: 20, fetch: answerAfter(1000) })
  await t.rejects(brief.models(unset), { name: 'TimeoutError' }, 'time of the client')
  await t.rejects(read(brief.captionStream({ image }, unset)), { name: 'TimeoutError' }, 'for a stream')
})

t.test('times that no timer can hold do not end at once', async t => {
  const lavit = createClient({ fetch: answerAfter(50) })
  for (const timeoutMs of [2 ** 31, 1e300, Infinity]) {
    t.strictSame(await lavit.models({ timeoutMs }), {}, `${timeoutMs} ms`)
  }
  t.strictSame(await lavit.models({ timeoutMs: 2000 / 3 }), {}, 'parts of a millisecond')
  await t.rejects(lavit.models({ timeoutMs: -1 }), { name: 'TimeoutError' }, 'a time that is over')
  let tries = 0
  const fetch: typeof globalThis.fetch = async () => {
    tries++
    return new Response('', { status: 503, headers: { 'retry-after': '9999999' } })
  }
  const patient = createClient({ longestPause: Infinity, fetch })
  await t.rejects(patient.models({ timeoutMs: 100 }), { name: 'TimeoutError' })
  t.equal(tries, 1, 'a pause of months is one')
})

t.test('what JSON or an address cannot hold is refused before it is sent', async t => {
  const lavit = createClient({ fetch: async () => t.fail('was sent') as never })
  const seed: number = Object(7n)
  const round: { prompt: string; self?: object } = { prompt: 'a dog' }
  round.self = round
  const calls: Record<string, () => Promise<unknown>> = {
    'a bigint': () => lavit.caption({ image, seed }),
    'a bigint of a stream': () => read(lavit.captionStream({ image, seed })),
    'a bigint within an estimate': () => lavit.estimate({ job: 'caption', request: { image, seed } }),
    'what holds itself': () => lavit.generate(round),
    'a lone surrogate': () => lavit.model('\ud83d'),
    'no name, which asks for the list': () => lavit.model(''),
    'a dot': () => lavit.loadModel('.'),
    'dots, which lead elsewhere': () => lavit.unloadModel('..')
  }
  const unsendable = { name: 'LavitError', code: 'request_unsendable', message: /^the request cannot be sent: / }
  for (const [name, call] of Object.entries(calls)) await t.rejects(call, unsendable, name)
})

t.test('a Blob whose file has changed since is a picture that cannot be read', async t => {
  const path = join(t.testdir({ 'a.png': image }), 'a.png')
  const blob = await openAsBlob(path)
  appendFileSync(path, 'more')
  const lavit = createClient({ url: await leftAddress() })
  const unreadable = { name: 'LavitError', code: 'picture_unreadable', status: 0, cause: { name: 'NotReadableError' } }
  await t.rejects(lavit.caption({ image: blob }), unreadable)
  await t.rejects(lavit.generate({ prompt: [{ type: 'image', image: blob }] }), unreadable, 'within a prompt')
  await t.rejects(read(lavit.captionStream({ image: blob })), unreadable, 'of a stream')
})

t.test('Retry-After is a number of seconds or a date, or counts as none', async t => {
  const told = async (header: string) => {
    const fetch: typeof globalThis.fetch = async () =>
      new Response('', { status: 400, headers: { 'retry-after': header } })
    return (await createClient({ fetch }).models().catch(error => error)).retryAfter
  }
  for (const [header, seconds] of [['7', 7], ['1.5', 1.5], [' 0 ', 0], ['Sat, 28 Nov 1998 00:00:00 GMT', 0]] as const) {
    t.equal(await told(header), seconds, header)
  }
  const inAMinute = await told(new Date(Date.now() + 60_000).toUTCString())
  t.ok(inAMinute > 55 && inAMinute <= 60, `${inAMinute} s`)
  const noYears = 'Sat, 28 Nov 99999999999999999999 00:00:00 GMT'
  for (const header of ['', '-1', '1.', '.5', '1e3', '1, 2', '1-2', '2026-11-28', 'soon', 'Infinity', noYears]) {
    t.equal(await told(header), undefined, header || 'empty')
  }
})

t.test('headers stand in the place of others, in any case', async t => {
  const sent: Headers[] = []
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    sent.push(new Headers(init?.headers))
    return new Response('{}')
  }
  const lavit = createClient({ apiKey: 'secret', headers: { Authorization: 'Basic abc', 'X-Request-Id': 'a' }, fetch })
  await lavit.models({ headers: { 'x-request-id': 'b', ACCEPT: 'application/json;q=1' } })
  t.strictSame([...(sent[0] ?? [])], [
    ['accept', 'application/json;q=1'], ['authorization', 'Basic abc'], ['x-request-id', 'b']
  ])
})

t.test('what onResponse throws reaches the caller as it is, and is not tried again', async t => {
  let tries = 0
  const fetch: typeof globalThis.fetch = async () => new Response('{}', { status: tries++ === 0 ? 200 : 503 })
  for (const reason of [new Error('over budget'), new LavitError('connection_failed', 'of the caller'), 'a text']) {
    tries = 0
    const lavit = createClient({ fetch, onResponse: () => { throw reason } })
    t.equal(await lavit.models().catch(error => error), reason)
    t.equal(await read(lavit.captionStream({ image })).catch(error => error), reason, 'of a stream that is refused')
    t.equal(tries, 2, 'once each')
  }
})

t.test('a key that no header holds is refused before any call', async t => {
  const refused = { name: 'TypeError', message: /^apiKey must be .* Latin-1, in one line, no space around it$/ }
  const keys = ['schlüssel-\u20ac', '\u30ad\u30fc', 'two\nlines', 'a\u0000', 'a\u007f']
  for (const apiKey of [...keys, '', ' ', 'abc\n', 'abc\r\n', ' abc']) {
    t.throws(() => createClient({ apiKey }), refused, JSON.stringify(apiKey))
  }
  const sent: (string | null)[] = []
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    sent.push(new Headers(init?.headers).get('authorization'))
    return new Response('{}')
  }
  for (const apiKey of ['schl\u00fcssel', 'two words', 'a']) await createClient({ apiKey, fetch }).models()
  t.strictSame(sent, ['Bearer schl\u00fcssel', 'Bearer two words', 'Bearer a'])
})

t.test('addresses and headers that nothing can be sent with are refused before any call', async t => {
  let tries = 0
  const fetch: typeof globalThis.fetch = async url => {
    tries++
    return new Response(JSON.stringify(String(url)))
  }
  const addresses = ['', 'foo', '/lavit', 'localhost:8080', '127.0.0.1:8080', 'ftp://x', 'http://', 'http://a:b@x']
  for (const url of addresses) {
    t.throws(() => createClient({ url, fetch }), { name: 'TypeError', message: /^url must begin with http/ }, url)
  }
  for (const url of ['http://x?a=b', 'http://x/y#z', new URL('http://x/?a')]) {
    t.throws(() => createClient({ url, fetch }), { name: 'TypeError', message: /^url must end with/ }, `${url}`)
  }
  const isOfHeader = { name: 'TypeError', message: /^headers: "[^"]+" must be a name, and .* Latin-1, in one line$/ }
  for (const headers of [{ 'x-a': '\u20ac' }, { 'x-a': 'two\nlines' }, { 'x a': 'secret' }]) {
    t.throws(() => createClient({ headers, fetch }), isOfHeader)
    await t.rejects(createClient({ fetch }).models({ headers }), isOfHeader, 'of one call')
  }
  t.equal(tries, 0)
  t.equal(await createClient({ url: 'https://x/lavit//', headers: { 'x-a': '\u00fc' }, fetch }).models(),
    'https://x/lavit/models')
})

t.test('in a browser an address may be relative to the page', async t => {
  Reflect.set(globalThis, 'location', new URL('https://page.example/shop/'))
  t.teardown(() => Reflect.deleteProperty(globalThis, 'location'))
  const fetch: typeof globalThis.fetch = async url => new Response(JSON.stringify(url))
  const asked = { '': 'shop/models', '/lavit': 'lavit/models', 'lavit/': 'shop/lavit/models' }
  for (const [url, path] of Object.entries(asked)) {
    t.equal(await createClient({ url, fetch }).models(), `https://page.example/${path}`)
  }
  t.throws(() => createClient({ url: 'localhost:8080' }), { name: 'TypeError' })
})

/** A `fetch` whose answer comes late, unless the call has ended. */
function answerAfter (ms: number): typeof fetch {
  return async (_url, init) => {
    await pause(ms, undefined, init?.signal ? { signal: init.signal } : {})
    return new Response('{}')
  }
}

/** The address of a server that gives each of the answers once, in their order. */
async function serve (t: Test, answers: [number, Record<string, string>, string][]) {
  const server = createServer((_request, response) => {
    const [status, headers, body] = answers.shift() ?? [500, {}, '']
    response.writeHead(status, headers).write(body)
    if ('content-length' in headers) setImmediate(() => response.destroy())
    else response.end()
  })
  t.teardown(() => server.close())
  return listen(server)
}

/** Node's `fetch`, which waits five minutes for a head and for each piece of a body, with so many milliseconds. */
async function fetchOfLittlePatience (ms: number): Promise<typeof fetch> {
  await fetch('data:,') // the dispatcher is made at the first call
  const { constructor: Agent } = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1'))
  const dispatcher = new Agent({ headersTimeout: ms, bodyTimeout: ms })
  return (url, init) => fetch(url, Object.assign({ dispatcher }, init))
}

/** Where a server listened. */
async function leftAddress () {
  const server = createServer()
  const url = await listen(server)
  await new Promise(resolve => server.close(resolve))
  return url
}

async function listen (server: Server) {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** The last event. */
async function read<Event> (events: AsyncIterable<Event>): Promise<Event | undefined> {
  let last
  for await (const event of events) last = event
  return last
}
