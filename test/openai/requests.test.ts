// covers: src/schemas/openai/chat.ts
/** Requests as OpenAI's clients send them, on a fake model: what is read of them, what is refused, and how. */
import t from 'tap'
import { base64, buildTestApp, form } from '../helper.ts'

const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } }
const question = { type: 'text', text: 'what?' }
const chat = { messages: [{ role: 'user', content: [question, picture] }], seed: 3 }
const painting = { prompt: 'a dog', seed: 3 }
const edit = { image: base64, ...painting }
const bodies: [url: string, body: object][] = [
  ['/v1/chat/completions', chat],
  ['/v1/images/generations', painting],
  ['/v1/images/edits', edit]
]

t.test('null is as if nothing was given', async t => {
  const app = await buildTestApp(t)
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
  const names = [
    'max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'n', 'stream', 'stream_options', 'stop', 'user',
    'modalities', 'size', 'response_format', 'background', 'output_format', 'partial_images', 'quality', 'model',
    'priority', 'deadline_ms'
  ]
  for (const [url, body] of bodies) {
    t.equal((await post(url, body)).statusCode, 200, url)
    const bare = app.seen.works.at(-1)
    const answer = await post(url, { ...body, ...Object.fromEntries(names.map(name => [name, null])) })
    t.equal(answer.statusCode, 200, `${url} ${answer.body.slice(0, 200)}`)
    t.strictSame(app.seen.works.at(-1), bare, url)
    t.equal((await post(url, { ...body, seed: null })).statusCode, 200, url)
    t.equal((await post(`${url}?n=2`, { ...body, n: null, temperature: 1 })).statusCode, 200, 'given once')
    t.match(app.seen.works.at(-1), { n: 2 }, url)
  }
  t.match((await post('/v1/images/generations', { prompt: null })).json(), {
    status: 422,
    errors: [{ pointer: '/prompt', message: 'is required' }]
  })
  t.equal((await post('/caption', { image: base64, n: null })).statusCode, 422, 'of our own routes it is a mistake')

  const { components } = (await app.inject('/openapi.json')).json()
  const { ChatRequest, ImageGenerationRequest, CaptionRequest } = components.schemas
  t.strictSame(ChatRequest.properties.max_tokens.type, ['integer', 'null'])
  t.strictSame(ChatRequest.properties.messages.type, 'array')
  t.match(ImageGenerationRequest.properties.output_format, {
    type: ['string', 'null'],
    enum: ['png', 'webp', 'jpeg', null]
  })
  t.equal(CaptionRequest.properties.n.type, 'integer')
})

t.test('what cannot be honoured is refused with 400 where the answer would differ', async t => {
  const app = await buildTestApp(t)
  const ofChat: [field: object, status: number][] = [
    [{ messages: [{ role: 'user', content: [question, picture, picture] }] }, 400],
    [{ modalities: ['text', 'audio'] }, 400],
    [{ modalities: ['audio'] }, 400],
    [{ modalities: 'audio' }, 400],
    [{ modalities: ['text'] }, 200],
    [{ modalities: [] }, 200],
    [{ audio: { voice: 'alloy', format: 'wav' } }, 400],
    [{ function_call: { name: 'auto' } }, 400],
    [{ function_call: 'auto' }, 200],
    [{ function_call: 'none', functions: [{ name: 'x' }] }, 200],
    [{ tool_choice: { type: 'function', function: { name: 'x' } } }, 400],
    [{ tool_choice: 'required' }, 400],
    [{ tool_choice: 'none' }, 200],
    [{ functions: [{ name: 'x' }] }, 200],
    [{ functions: [{ name: 'x' }], function_call: { name: 'x' } }, 400],
    [{ tools: [{ type: 'function', function: { name: 'x' } }], parallel_tool_calls: false }, 200],
    [{ top_logprobs: 5 }, 400],
    [{ top_logprobs: 0, logprobs: false }, 200],
    [{ web_search_options: {} }, 400],
    [{ web_search_options: { search_context_size: 'low' } }, 400],
    [{ web_search_options: null }, 200],
    [{ logit_bias: { 50256: -100 } }, 400],
    [{ logit_bias: {} }, 200],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }, 400],
    [
      {
        store: true,
        service_tier: 'flex',
        reasoning_effort: 'low',
        verbosity: 'low',
        prediction: { type: 'content', content: 'a' },
        metadata: { a: 'b' },
        safety_identifier: 'a',
        prompt_cache_key: 'a'
      },
      200
    ],
    [{ response_format: { type: 'json_object' } }, 400],
    [{ response_format: { type: 'text' } }, 200],
    [{ stop: 'text' }, 400],
    [{ stop: [] }, 200]
  ]
  const ofPictures: [field: object, status: number][] = [
    [{ response_format: 'url' }, 400],
    [{ background: 'transparent' }, 400],
    [{ response_format: 'b64_json', background: 'opaque' }, 200],
    [{ response_format: 'x' }, 422],
    [{ background: 'red' }, 422],
    [{ quality: 'high', style: 'vivid', moderation: 'low', output_compression: 80, input_fidelity: 'high' }, 200]
  ]
  const masked = await app.inject({ method: 'POST', url: '/v1/images/edits', payload: { ...edit, mask: base64 } })
  t.match(masked.json(), { status: 400, error: { param: 'mask' } })
  const cases = bodies.flatMap(([url, body]) =>
    (body === chat ? ofChat : ofPictures).map(([field, status]) => ({ url, body, field, status }))
  )
  for (const { url, body, field, status } of cases) {
    const answer = await app.inject({ method: 'POST', url, payload: { ...body, ...field } })
    t.equal(answer.statusCode, status, `${url} ${JSON.stringify(field)} ${answer.body.slice(0, 200)}`)
    if (status !== 400) continue
    const name = Object.keys(field).at(-1)
    t.match(answer.json(), {
      code: 'invalid_request',
      detail: name,
      errors: [{ pointer: `/${name}` }],
      error: { type: 'invalid_request_error', param: name }
    })
  }
})

t.test('options may stand in the query beside any body', async t => {
  const app = await buildTestApp(t)
  for (const [url, body] of bodies) {
    const { seed: _seed, ...payload } = body as { seed: number }
    const answer = await app.inject({ method: 'POST', url: `${url}?seed=5&stream=false&n=&x=y`, payload })
    t.equal(answer.statusCode, 200, `${url} ${answer.body.slice(0, 200)}`)
    t.match(app.seen.works.at(-1), { sampling: { seed: 5 }, n: 1 }, url)
    t.match((await app.inject({ method: 'POST', url: `${url}?seed=5`, payload: body })).json(), {
      status: 422,
      errors: [{ pointer: '/seed', message: 'is given both in the body and in the query' }]
    })
    const told = (await app.inject('/openapi.json')).json().paths[url].post.parameters
    const names: string[] = told.map(({ name }: { name: string }) => name)
    t.ok(names.includes('seed'), url)
    t.notOk(names.some(name => ['messages', 'image', 'mask', 'stream_options'].includes(name)), url)
  }
  const alone = await app.inject({ method: 'POST', url: '/v1/images/generations?prompt=a%20dog' })
  t.equal(alone.statusCode, 200)
  const streamed = await app.inject({ method: 'POST', url: '/v1/chat/completions?stream=true', payload: chat })
  t.match(streamed.headers['content-type'], /^text\/event-stream/)
})

t.test('what is wrong is told where it stands in the request', async t => {
  const app = await buildTestApp(t)
  const message = (...content: object[]) => ({
    messages: [{ role: 'system', content: 'x' }, { role: 'user', content }]
  })
  const broken = { type: 'image_url', image_url: { url: '!!!' } }
  const noBase64 = 'is neither a base64 data URL nor base64 text'
  const earlier = { messages: [...message(broken).messages, { role: 'user', content: 'what?' }] }
  const cases: [url: string, payload: object, pointer: string, message: string][] = [
    [
      '/v1/chat/completions',
      message({ type: 'input_text', text: 'x' }),
      '/messages/1/content/0/type',
      'must be one of text, image_url, file, input_audio, refusal'
    ],
    ['/v1/chat/completions', message(question, broken), '/messages/1/content/1/image_url/url', noBase64],
    ['/v1/chat/completions', earlier, '/messages/1/content/0/image_url/url', noBase64],
    [
      '/v1/chat/completions',
      message(picture, { type: 'text', text: '\u2060' }),
      '/messages/1/content',
      'must not be blank'
    ],
    ['/v1/images/edits', { image: ['!!!'], prompt: 'x' }, '/image/0', noBase64],
    ['/v1/images/edits', { image: [base64, '!!!'], prompt: 'x' }, '/image/1', noBase64],
    ['/v1/images/edits', { image: '!!!', prompt: 'x' }, '/image', noBase64],
    ['/v1/images/generations', { prompt: ' ' }, '/prompt', 'must not be blank']
  ]
  for (const [url, payload, pointer, message] of cases) {
    const param = pointer.slice(1)
    t.match(
      (await app.inject({ method: 'POST', url, payload })).json(),
      { status: 422, errors: [{ pointer, message }], detail: `${param} ${message}`, error: { param } },
      `${url} ${pointer}`
    )
  }
})

t.test('a part that is no text and no picture is refused where it would be read, and nowhere else', async t => {
  const app = await buildTestApp(t)
  const others = [
    { type: 'file', file: { file_id: 'x' } },
    { type: 'input_audio', input_audio: { data: '', format: 'wav' } },
    { type: 'refusal', refusal: 'no' }
  ]
  for (const part of others) {
    const before = [{ role: 'assistant', content: [part] }, { role: 'user', content: [part, picture] }]
    const history = { messages: [...before, { role: 'user', content: [question] }] }
    const answer = await app.inject({ method: 'POST', url: '/v1/chat/completions', payload: history })
    t.equal(answer.statusCode, 200, `${part.type} ${answer.body}`)
    const last = { messages: before }
    t.match((await app.inject({ method: 'POST', url: '/v1/chat/completions', payload: last })).json(), {
      code: 'invalid_request',
      status: 400,
      error: { param: 'messages/1/content/0' }
    })
  }
})

t.test('pictures of a form are told where they stand, one alone without its place', async t => {
  const app = await buildTestApp(t)
  const told = async (...images: string[]) => {
    const sent = form([['prompt', 'x'], ...images.map((image): [string, string] => ['image', image])])
    return (await app.inject({ method: 'POST', url: '/v1/images/edits', ...sent })).json()
  }
  t.equal((await told('hello')).error.param, 'image')
  t.equal((await told(base64, 'hello')).error.param, 'image/1')
  t.match(await told(base64), { data: [{}] })
})

t.test('a file of a form whose field is a text is read as that', async t => {
  const app = await buildTestApp(t)
  const prompt: [string, string] = ['prompt', 'x']
  const post = async (name: string, type: string, words: string) => {
    const { headers, payload } = form([['image', base64], ...(name === 'prompt' ? [] : [prompt])])
    const head = `Content-Disposition: form-data; name="${name}"; filename="p.txt"\r\nContent-Type: ${type}`
    const part = Buffer.from(`--x-boundary\r\n${head}\r\n\r\n${words}\r\n`)
    const sent = { headers, payload: Buffer.concat([part, payload]) }
    return (await app.inject({ method: 'POST', url: '/v1/images/edits', ...sent })).json()
  }
  t.match(await post('prompt', 'text/plain', 'a dog'), { data: [{}] })
  const ids = [...'a dog'].map(character => character.charCodeAt(0))
  t.match(JSON.stringify(app.seen.works.at(-1)), JSON.stringify(ids).slice(1, -1))
  t.match(await post('seed', 'text/plain', '7'), { data: [{ seed: 7 }] })
  t.match(await post('prompt', 'image/png', 'a dog'), {
    status: 422,
    errors: [{ pointer: '/prompt', message: /^must be text .*; only image takes a file$/ }]
  })
  t.match(await post('mask', 'image/png', 'a dog'), { status: 400, error: { param: 'mask' } })
  t.match(await post('other', 'image/png', 'a dog'), { data: [{}] }, 'which is not read')
})

t.test('empty options of lists are not given, and batches are refused in words', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: t.testdir() } })
  const sent = form([['purpose', 'batch'], ['file', Buffer.from('{}')]])
  const file = (await app.inject({ method: 'POST', url: '/v1/files', ...sent })).json()
  for (const query of ['limit=', 'after=', 'purpose=', 'order=', 'limit=&after=&purpose=&order=', 'limit=1']) {
    t.match((await app.inject(`/v1/files?${query}`)).json(), { data: [{ id: file.id }] }, query)
    t.equal((await app.inject(`/v1/batches?${query}`)).statusCode, 200, query)
  }
  t.equal((await app.inject('/v1/files?limit=x')).statusCode, 422)

  const asked = { input_file_id: file.id, endpoint: '/caption', completion_window: '24h' }
  const cases: [field: object, pointer: string, message: string][] = [
    [{ completion_window: '24' }, '/completion_window', 'must be whole hours from 1h to 999h, such as 24h'],
    [
      { output_expires_after: { anchor: 'x', seconds: 3600 } },
      '/output_expires_after/anchor',
      'must be created_at'
    ]
  ]
  for (const [field, pointer, message] of cases) {
    const payload = { ...asked, ...field }
    t.match((await app.inject({ method: 'POST', url: '/v1/batches', payload })).json(), {
      status: 422,
      errors: [{ pointer, message }]
    })
  }
})

t.test('a file is kept from when it was created, and from nothing else', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: t.testdir() } })
  const send = async (anchor: string) => {
    const times: [string, string][] = [['expires_after[anchor]', anchor], ['expires_after[seconds]', '3600']]
    const sent = form([['purpose', 'batch'], ...times, ['file', Buffer.from('{}')]])
    return (await app.inject({ method: 'POST', url: '/v1/files', ...sent })).json()
  }
  for (const anchor of ['', 'created_at']) {
    const { expires_at: end, created_at: start } = await send(anchor)
    t.equal(end - start, 3600, anchor)
  }
  for (const anchor of ['last_active_at', 'Created_at', ' ']) {
    t.match(await send(anchor), {
      status: 422,
      errors: [{ pointer: '/expires_after/anchor', message: 'must be created_at' }]
    }, anchor)
  }
  t.equal((await app.inject('/v1/files')).json().data.length, 2, 'and what is refused is not kept')
})

t.test('a form without a boundary is told as that by every route that reads forms', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_BATCH_DIR: t.testdir() } })
  const { paths } = (await app.inject('/openapi.json')).json()
  const urls = Object.keys(paths).filter(url => paths[url].post?.requestBody?.content['multipart/form-data'])
  t.strictSame(urls, ['/tokenize', '/caption', '/vqa', '/generate', '/v1/images/edits', '/v1/files'])
  for (const url of urls) {
    for (const type of ['multipart/form-data', 'Multipart/Form-Data ;', 'multipart/form-data; charset=utf-8']) {
      const headers = { 'content-type': type }
      const answer = await app.inject({ method: 'POST', url, headers, payload: 'x' })
      t.match(answer.json(), { status: 400, detail: 'The form has no boundary in its Content-Type' }, `${url} ${type}`)
    }
  }
})

t.test('a text of the likeliest alone is not drawn', async t => {
  const app = await buildTestApp(t)
  const ask = async (topP: number) => {
    const payload = { ...chat, temperature: 2, top_p: topP }
    const { statusCode } = await app.inject({ method: 'POST', url: '/v1/chat/completions', payload })
    t.equal(statusCode, 200)
    return app.seen.works.at(-1)
  }
  t.match(await ask(0), { numBeams: 1, sampling: { temperature: 0 } })
  t.match(await ask(0.5), { numBeams: 1, sampling: { temperature: 2, topP: 0.5 } })
})
