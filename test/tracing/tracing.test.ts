// covers: src/plugins/traces.ts src/tasks/story.ts src/tracing/spans.ts
/** One trace of a request, through the engine and back, as a receiver of OTLP gets it. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { ServerError } from '../../src/errors.ts'
import { openTracing } from '../../src/tracing/tracing.ts'
import { startApp } from '../fixtures/embedded-app.ts'
import { openReceiver, type Span } from '../fixtures/trace-receiver.ts'
import { base64, buildTestApp } from '../helper.ts'

const scene = readFileSync(join(import.meta.dirname, '../fixtures/scene.png')).toString('base64')
const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`
const isOfSdk = (name: string) => /@opentelemetry\/(?!api\/)/.test(name) // the interface alone comes with prom-client
const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter(isOfSdk)

t.test('without an exporter nothing of OpenTelemetry is loaded', async t => {
  const app = await buildTestApp(t)
  const response = await app.inject({ method: 'POST', url: '/caption', headers: { traceparent }, payload: {} })
  t.notOk('trace_id' in response.json())
  t.strictSame(loaded(), [])
})

t.test('one trace, in spans, log and problem document, with nothing of what was asked', async t => {
  const receiver = await openReceiver()
  t.ok(loaded().length > 10, 'now it is loaded')
  const lines: string[] = []
  const log = pino({}, { write: line => lines.push(line) })
  const app = await buildTestApp(t, {
    log,
    tracing: receiver.tracing,
    submit: () => Promise.reject(new ServerError('engine_restarting', 'gone'))
  })
  const ask = (url: string, payload?: object) =>
    app.inject({ method: payload ? 'POST' : 'GET', url, headers: { traceparent }, ...(payload && { payload }) })
  const problem = (await ask('/vqa?x=secret', { image: base64, question: 'what of my secret?' })).json()
  t.match(problem, { code: 'invalid_field', trace_id: traceId })
  t.match((await ask('/vqa', { image: base64, question: 'what of my secret?' })).json(), {
    code: 'engine_restarting',
    trace_id: traceId
  })
  t.match((await ask('/nowhere')).json(), { code: 'not_found', trace_id: traceId })
  await ask('/health/live')
  await ask('/metrics')
  const own = await app.inject('/nowhere')
  t.match(own.json().trace_id, /^[0-9a-f]{32}$/)
  t.not(own.json().trace_id, traceId)

  const spans = await receiver.spans()
  const told = lines.map(line => JSON.parse(line)).filter(line => line.trace_id === traceId)
  t.ok(told.some(({ msg }) => msg === 'request refused'))
  t.equal(new Set(told.map(({ span_id: id }) => id)).size, 3, 'each request has a span of its own')
  for (const text of [lines.join(''), receiver.text()]) t.notMatch(text, new RegExp(`secret|${base64.slice(0, 40)}`))

  t.strictSame([...new Set(receiver.paths)], ['/v1/traces'])
  t.strictSame(receiver.warnings, [])
  t.match(receiver.resource(), { 'service.name': 'lavit-server', 'service.version': '0.1.0' })
  const of = spans.filter(span => span.traceId === traceId)
  t.strictSame(of.map(({ name }) => name).sort(), [
    'GET', 'POST /vqa', 'POST /vqa', 'decode', 'generate_content lavit-mini', 'receive', 'receive'
  ])
  const failed = of.find(({ attributes }) => attributes['http.response.status_code'] === 503)
  t.match(failed, {
    parentSpanId: 'b7ad6b7169203331',
    status: { code: 2 },
    attributes: { 'error.type': 'engine_restarting', 'http.route': '/vqa', 'http.request.method': 'POST' }
  })
  t.match(of.find(({ name }) => name.startsWith('generate_content')), {
    parentSpanId: failed?.spanId,
    status: { code: 2 },
    attributes: { 'error.type': 'engine_restarting', 'gen_ai.request.model': 'lavit-mini' }
  })
  const refused = of.find(({ attributes }) => attributes['lavit.problem'] === 'invalid_field')
  t.match(refused, { status: { code: 0 } }, 'what the client did wrong is no error of the server')
})

t.test('the stages of a request follow one another, from its begin to its end', async t => {
  const receiver = await openReceiver()
  const app = await startApp(t, { LAVIT_ENGINES: '1', LAVIT_IMAGE_CACHE_MB: '0' }, { tracing: receiver.tracing })
  const ask = async (url: string, payload: object) =>
    t.equal((await app.inject({ method: 'POST', url, payload: { seed: 1, ...payload } })).statusCode, 200, url)
  await ask('/caption', { image: scene })
  await ask('/generate', { prompt: [{ type: 'image', image: scene }, { type: 'text', text: 'on a red background' }] })
  await ask('/tokenize', { image: scene })
  const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${scene}` } }
  const question = [{ type: 'text', text: 'what is it?' }, picture]
  await ask('/v1/chat/completions', { model: 'lavit-mini', messages: [{ role: 'user', content: question }] })
  const spans = await receiver.spans()
  const partsOf = (parent: Span) =>
    spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId).sort((a, b) => a.startMs - b.startMs)
  const endOf = ({ startMs, ms }: Span) => startMs + ms
  const isAt = (a: number, b: number) => Math.abs(a - b) < 0.1 // what rounding does to both

  for (const [route, ...stages] of [
    ['/caption', 'encode', 'prefill', 'decode_steps'],
    ['/generate', 'encode', 'prefill', 'decode_steps', 'paint'],
    ['/tokenize', 'encode']
  ]) {
    const [root, ...others] = spans.filter(({ name }) => name === `POST ${route}`)
    if (!root || others.length > 0) return t.fail(`${route} has not one span`)
    const parts = partsOf(root)
    const [receive, decode, run, answer] = parts
    if (!receive || !decode || !run || !answer) return t.fail(`${route}: ${parts.map(({ name }) => name)}`)
    t.strictSame([receive.name, decode.name, answer.name, parts.length], ['receive', 'decode', 'answer', 4])
    t.ok(isAt(receive.startMs, root.startMs), 'from the begin')
    t.ok(isAt(endOf(receive), decode.startMs))
    t.ok(isAt(endOf(run), answer.startMs))
    t.ok(isAt(endOf(answer), endOf(root)), 'to the end')

    const inner = partsOf(run)
    const first = inner[0]
    t.strictSame(first && [first.name, isAt(first.startMs, run.startMs)], ['queue', true])
    t.strictSame(inner.map(({ name }) => name).filter(name => name !== 'queue'), stages)
    for (const [parent, parts] of [[root, [receive, decode, run, answer]], [run, inner]] as const) {
      for (const [i, part] of parts.entries()) {
        const before = parts[i - 1]
        t.ok(part.startMs > (before ? endOf(before) : parent.startMs) - 0.1, `${part.name} after what is before it`)
        t.ok(endOf(part) < endOf(parent) + 0.1, `${part.name} within ${parent.name}`)
      }
    }
  }

  const runs = spans.filter(({ attributes }) => 'gen_ai.operation.name' in attributes)
  t.match(runs.find(({ attributes }) => attributes['lavit.task'] === 'generate')?.attributes, {
    'gen_ai.operation.name': 'generate_content',
    'gen_ai.provider.name': 'lavit',
    'gen_ai.request.model': 'lavit-mini',
    'gen_ai.output.type': 'image',
    'gen_ai.usage.output_tokens': Number
  })
  t.ok(runs.some(({ name }) => name === 'chat lavit-mini'))
})

t.test('a receiver that is away, or silent, holds up no end', async t => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  for (const [to, says] of [[port, /did not take the last spans/], [1, /ECONNREFUSED|last spans/]] as const) {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${to}`
    const warnings: string[] = []
    const tracing = await openTracing('0.1.0', { warn: message => warnings.push(message) })
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
    const { ids, end } = tracing.begin({})
    t.match(ids.trace_id, /^[0-9a-f]{32}$/)
    end({ name: 'GET /', to: performance.now() })
    await tracing.close()
    t.match(warnings.join('\n'), says)
    silent.closeAllConnections()
  }
})
