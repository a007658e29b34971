// covers: src/mcp/calls.ts src/mcp/messages.ts src/mcp/schemas.ts src/mcp/tools.ts src/mcp/server.ts
/** With the protocol's own client over HTTP: the embedded model, and the fake one where work must last. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { startApp } from '../fixtures/embedded-app.ts'
import { base64, buildTestApp } from '../helper.ts'

const scene = readFileSync(join(import.meta.dirname, '../fixtures/scene.png')).toString('base64')

async function connect (t: Test, url: string, mode: 'auto' | 'legacy' = 'auto') {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url)))
  t.teardown(() => client.close())
  return client
}

t.test('the embedded model', async t => {
  const app = await startApp(t)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  for (const mode of ['auto', 'legacy'] as const) {
    const client = await connect(t, url, mode)
    const call = async (name: string, sent: object) => {
      const result = await client.callTool({ name, arguments: { ...sent } })
      t.notOk(result.isError, JSON.stringify(result.content))
      return result
    }

    t.test(`lists and calls its tools (${mode})`, async t => {
      const { tools } = await client.listTools()
      t.strictSame(tools.map(({ name }) => name).sort(), ['ask', 'caption', 'paint', 'tokenize'])
      for (const tool of tools) {
        t.match(tool, { title: String, description: String, inputSchema: { type: 'object' }, outputSchema: {} })
        t.notOk('stream' in (tool.inputSchema.properties ?? {}))
        t.notMatch(JSON.stringify(tool), /"\$ref":"(?!#)/, 'every reference is within the tool')
      }

      const { structuredContent: told } = await call('tokenize', { image: `data:image/png;base64,${scene}` })
      t.match(told, { model: 'lavit-mini', count: Number, image_ref: /^img_/ })
      const { image_ref: ref } = told as { image_ref: string }
      const caption = await call('caption', { image: { ref }, seed: 7 })
      t.match(caption.content, [{ type: 'text', text: /dog/ }])
      const payload = { image: scene, seed: 7 }
      const { captions } = (await app.inject({ method: 'POST', url: '/caption', payload })).json()
      t.strictSame((caption.structuredContent as { captions: unknown }).captions, captions, 'as over HTTP')
      const question = 'how many objects are there?'
      t.match(await call('ask', { image: scene, question }), { content: [{ type: 'text', text: 'two' }] })

      const prompt = 'an apple on a blue background'
      const painted = await call('paint', { prompt, seed: 7, n: 2 })
      t.match(painted.structuredContent, { images: [{ seed: 7, width: 96 }, { seed: 8, visual_tokens: [] }] })
      t.notMatch(JSON.stringify(painted.structuredContent), /"data"/)
      t.equal(painted.content.length, 2)
      const [block] = painted.content
      if (block?.type !== 'image') return t.fail('no image block')
      t.equal(block.mimeType, 'image/png')
      t.match(await sharp(Buffer.from(block.data, 'base64')).metadata(), { width: 96, height: 96, format: 'png' })
    })

    t.test(`tells of painting as it goes on, to whom asks (${mode})`, async t => {
      const heard: { progress: number; message?: string | undefined }[] = []
      await client.callTool(
        { name: 'paint', arguments: { prompt: 'an apple', seed: 7, steps: 2 } },
        { onprogress: progress => { heard.push(progress) } }
      )
      t.ok(heard.length > 3, `${heard.length} times`)
      t.ok(heard.every(({ progress }, i) => i === 0 || progress > (heard[i - 1]?.progress ?? 0)))
      t.ok(heard.some(({ message }) => message === 'step 2 of 2'))
    })

    t.test(`errors are of the tool, with the problem (${mode})`, async t => {
      const refused: [string, object, string][] = [
        ['ask', { image: scene }, 'invalid_field'],
        ['caption', { image: scene, beams: 2 }, 'invalid_field'],
        ['caption', { image: scene, stream: true }, 'invalid_field'],
        ['ask', { image: scene, question: 'what?', stream: false }, 'invalid_field'],
        ['paint', { prompt: 'a dog', previews: 1 }, 'invalid_field'],
        ['caption', { image: 'bm8gcGljdHVyZQ==' }, 'unsupported_media_type'],
        ['tokenize', { image: { ref: 'img_gone' } }, 'image_ref_expired'],
        ['paint', { prompt: 'a dog', model: 'other' }, 'model_not_found'],
        ['caption', { image: scene, deadline_ms: 1 }, 'deadline_exceeded']
      ]
      for (const [name, sent, code] of refused) {
        const result = await client.callTool({ name, arguments: { ...sent } })
        t.match(result, { isError: true, content: [{ text: new RegExp(`^${code}: `) }], _meta: { problem: { code } } })
      }
      await t.rejects(client.callTool({ name: 'sing', arguments: {} }), /no tool/)
    })
  }
})

/** The fake model, whose work lasts until it is stopped. */
async function buildLasting (t: Test) {
  const seen = { begun: 0, stopped: 0 }
  let news = () => {}
  const app = await buildTestApp(t, {
    submit: (_work, { signal }) =>
      new Promise((_resolve, reject) => {
        seen.begun++
        signal?.addEventListener('abort', () => {
          seen.stopped++
          reject(signal.reason)
          news()
        })
        news()
      })
  })
  return { app, seen, url: await app.listen({ port: 0, host: '127.0.0.1' }), until }

  async function until (isThere: () => boolean) {
    while (!isThere()) await new Promise<void>(resolve => { news = resolve })
    await setImmediate() // the model is given back
  }
}

for (const mode of ['auto', 'legacy'] as const) {
  t.test(`a call that is cancelled stops its work (${mode})`, async t => {
    const { app, seen, url, until } = await buildLasting(t)
    const client = await connect(t, url, mode)
    const faults: unknown[] = []
    client.onerror = error => { faults.push(error) }
    const end = new AbortController()
    const call = client.callTool({ name: 'caption', arguments: { image: base64 } }, { signal: end.signal })
    call.catch(() => {})
    await until(() => seen.begun === 1)
    end.abort()
    await t.rejects(call)
    await until(() => seen.stopped === 1)
    t.equal(app.seen.loans, 0)
    await client.listTools()
    t.strictSame(faults, [], 'no response comes for what is cancelled')
  })
}

t.test('a notification cancels the call of its own client, session and id alone', async t => {
  const { seen, url, until } = await buildLasting(t)
  const post = (message: object, session?: string) =>
    fetch(new URL('/mcp', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-06-18',
        ...(session && { 'mcp-session-id': session })
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message })
    })
  const introduce = async () => {
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
    const answer = await post({ id: 0, method: 'initialize', params })
    await answer.text()
    return answer.headers.get('mcp-session-id') ?? t.fail('no session')
  }
  const cancel = async (requestId: number, session?: string) => {
    const answer = await post({ method: 'notifications/cancelled', params: { requestId } }, session)
    t.equal(answer.status, 202)
    t.notOk(answer.headers.has('content-type'))
  }
  const params = { name: 'caption', arguments: { image: base64 } }
  const call = { method: 'tools/call', params }

  const [one, other] = [String(await introduce()), String(await introduce())]
  t.not(one, other)
  const first = post({ id: 1, ...call }, one)
  const second = post({ id: 1, ...call }, other)
  await until(() => seen.begun === 2)
  await cancel(1)
  await cancel(2, one)
  await cancel(1, 'another')
  t.equal(seen.stopped, 0)
  await cancel(1, one)
  await until(() => seen.stopped === 1)
  t.notMatch(await (await first).text(), 'jsonrpc', 'no response')
  await cancel(1, other)
  await until(() => seen.stopped === 2)
  t.notMatch(await (await second).text(), 'jsonrpc', 'no response')

  const same = [post({ id: 1, ...call }), post({ id: 1, ...call })]
  await until(() => seen.begun === 4)
  await cancel(1)
  t.equal(seen.stopped, 2, 'of two with one name neither')
  for (const answer of same) (await answer).body?.cancel().catch(() => {})
})

t.test('a request holds one call, known by the id of its own message', async t => {
  const { seen, url, until } = await buildLasting(t)
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-03-26'
  }
  const post = (body: object) =>
    fetch(new URL('/mcp', url), { method: 'POST', headers, body: JSON.stringify(body) })
  const call = (id: number) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'caption', arguments: { image: base64 } }
  })
  const cancelled = (params: object) => ({ jsonrpc: '2.0', method: 'notifications/cancelled', params })

  const refused = await post([call(1), call(2)])
  t.equal(refused.status, 400)
  t.match(await refused.json(), { jsonrpc: '2.0', id: null, error: { code: -32600, message: /one call/ } })
  t.equal(seen.begun, 0)

  const answer = post([{ jsonrpc: '2.0', id: 1, method: 'tools/list' }, call(2)])
  await until(() => seen.begun === 1)
  for (const params of [{}, { requestId: 1 }]) await post(cancelled(params))
  t.equal(seen.stopped, 0, 'that names no call')
  await post([cancelled({ requestId: 3 }), cancelled({ requestId: 2 })])
  await until(() => seen.stopped === 1)
  t.match(await (await answer).text(), /"tools":/, 'what else was asked has its response')
})

t.test('arguments are an object, and answers are not kept', async t => {
  const app = await buildTestApp(t)
  const headers = { host: 'localhost', accept: 'application/json, text/event-stream' }
  const ask = (params: object) =>
    app.inject({
      method: 'POST',
      url: '/mcp',
      headers,
      payload: { jsonrpc: '2.0', id: 'a', method: 'tools/call', params }
    })
  for (const sent of [null, [], 'x', 5]) {
    const answer = await ask({ name: 'caption', arguments: sent })
    t.equal(answer.statusCode, 200)
    t.match(answer.json(), { jsonrpc: '2.0', id: 'a', error: { code: -32602, message: /arguments .* object$/ } })
  }
  const streamed = await ask({ name: 'caption', arguments: { image: base64 } })
  t.match(streamed.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  t.match((await ask({ name: 'caption' })).body, 'invalid_field', 'which may be left out')
})

t.test('a connection ends with the answer where the client asks for that', async t => {
  const app = await buildTestApp(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'caption', arguments: { image: base64 } }
  })
  const types = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  for (const wish of ['close', 'keep-alive']) {
    const headers = { ...types, connection: wish }
    const asked = request({ port, path: '/mcp', method: 'POST', headers }).end(body)
    const [answer] = await once(asked, 'response') as [IncomingMessage]
    t.match(answer.headers, { 'content-type': 'text/event-stream', connection: wish }, wish)
    answer.destroy()
  }
})

t.test('pages of other origins are refused, and other methods', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: 'https://friend.example' } })
  const payload = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  const ask = (origin: string | undefined, host = 'localhost:8080') =>
    app.inject({
      method: 'POST',
      url: '/mcp',
      payload,
      headers: { host, accept: 'application/json, text/event-stream', ...(origin !== undefined && { origin }) }
    })
  for (const origin of [undefined, 'https://friend.example', 'http://localhost:8080']) {
    t.equal((await ask(origin)).statusCode, 200, origin ?? 'none')
  }
  t.equal((await ask('http://evil.example:8080', 'evil.example:8080')).statusCode, 403, 'a name that leads here')
  for (const origin of ['https://evil.example', 'http://localhost:3000', 'null']) {
    t.match((await ask(origin)).json(), { code: 'forbidden' }, origin)
  }
  t.match(await app.inject('/mcp'), { statusCode: 405, headers: { allow: 'POST, OPTIONS' } })
})
