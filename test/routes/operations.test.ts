// covers: src/routes/devices.ts src/schemas/devices.ts
// covers: src/plugins/guards.ts src/routes/health.ts src/routes/metrics.ts src/routes/models.ts
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { buildMetricsApp } from '../../src/app.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { buildTestApp, host } from '../helper.ts'

const key = 'a-key-of-some-length'

t.test('models', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_ADMIN_KEY: key } })

  t.test('are listed, and told of one by one', async t => {
    t.strictSame((await app.inject('/models')).json(), {
      default: 'lavit-mini',
      models: [
        {
          name: 'lavit-mini',
          family: 'lavit',
          version: '1.0.0',
          state: 'ready',
          device: 'cpu',
          placement: { wanted: 'cpu', device: 'cpu', host_bytes: 100, device_bytes: 0, reason: null }
        }
      ]
    })
    t.match((await app.inject('/models/lavit-mini')).json(), {
      name: 'lavit-mini',
      limits: { max_length: 100 },
      tasks: { caption: { num_beams: 2 } },
      digests: { 'x.onnx': String },
      quality: {},
      concepts: ['apple', 'dog']
    })
    t.match((await app.inject('/models/nope')).json(), { status: 404, code: 'model_not_found' })
  })

  t.test('are found with a slash behind the path, too', async t => {
    for (const [url, expected] of [
      ['/models/', { default: 'lavit-mini' }],
      ['/models/lavit-mini/', { name: 'lavit-mini' }],
      ['/health/live/', { status: 'ok' }],
      ['/openapi.json/', { openapi: '3.1.0' }]
    ] as const) {
      t.match((await app.inject(url)).json(), expected, url)
    }
    t.match((await app.inject({ method: 'POST', url: '/caption/', payload: {} })).json(), { code: 'invalid_field' })
    t.match(await app.inject('/caption/'), { statusCode: 405, headers: { allow: 'POST, OPTIONS' } })
    t.match((await app.inject(`/models/${'a'.repeat(3000)}`)).json(), { code: 'model_not_found' })
    t.equal((await app.inject('/docs/')).statusCode, 200)
  })

  t.test('are loaded and unloaded with the admin key only', async t => {
    for (const action of ['load', 'unload']) {
      const post = (authorization?: string) =>
        app.inject({
          method: 'POST',
          url: `/models/lavit-mini/${action}`,
          headers: authorization ? { authorization } : {}
        })
      const missing = await post()
      t.match(missing, { statusCode: 401, headers: { 'www-authenticate': 'Bearer' } })
      t.equal(missing.json().code, 'unauthorized')
      t.equal((await post('Bearer wrong')).statusCode, 401)
      t.equal((await post(`Basic ${key}`)).statusCode, 401)
      t.match((await post(`Bearer ${key}`)).json(), { name: 'lavit-mini' })
      t.equal(app.seen.calls.at(-1), `${action} lavit-mini`)
    }
    t.equal(
      (await app.inject({ method: 'POST', url: '/models/nope/load', headers: { authorization: `Bearer ${key}` } }))
        .statusCode,
      404
    )
  })

  t.test('cannot be loaded where no key is configured', async t => {
    const app = await buildTestApp(t)
    t.match(
      (
        await app.inject({ method: 'POST', url: '/models/lavit-mini/load', headers: { authorization: 'Bearer x' } })
      ).json(),
      { status: 403, code: 'forbidden' }
    )
  })
})

t.test('devices are listed', async t => {
  const app = await buildTestApp(t)
  const response = await app.inject('/devices')
  t.strictSame(response.json(), { devices: [host] })
})

t.test('health', async t => {
  let state = 'loading'
  const app = await buildTestApp(t, { state: () => state })
  const statuses = async () =>
    Promise.all(['live', 'ready', 'startup'].map(async name => (await app.inject(`/health/${name}`)).statusCode))
  t.strictSame(await statuses(), [200, 503, 503])
  const waiting = await app.inject('/health/ready')
  t.equal(waiting.json().code, 'model_loading')
  t.equal(waiting.headers['retry-after'], '1')
  state = 'ready'
  t.strictSame(await statuses(), [200, 200, 200])
  t.strictSame((await app.inject('/health/live')).json(), { status: 'ok' })
  state = 'restarting'
  t.strictSame(await statuses(), [200, 503, 200], 'startup is over once and for all')
  state = 'unloaded'
  t.strictSame(await statuses(), [200, 503, 200], 'by hand')
  state = 'failed'
  t.match((await app.inject('/health/ready')).json(), { code: 'model_unavailable' })
  const roomy = await buildTestApp(t, { state: () => 'unloaded', registry: { canTakeWork: () => true } })
  t.equal((await roomy.inject('/health/ready')).statusCode, 200, 'the default model has made room for another one')
})

t.test('metrics', async t => {
  const app = await buildTestApp(t)
  await app.inject({ method: 'POST', url: '/detokenize', payload: { visual_tokens: [1] } })
  await app.inject('/nope')
  app.metrics.addEngineCounts('lavit-mini', {
    waiting: 2,
    running: 1,
    slotsInUse: 3,
    queuedCost: 40,
    units: [{ kind: 'decode', rows: 4, seconds: 0.01 }],
    bus: { up: 900, down: 1500, buffers: 7, held: 4096 }
  }, 'cpu')
  app.metrics.countRestart('lavit-mini', 'cpu')
  const response = await app.inject('/metrics')
  t.match(response.headers['content-type'], 'text/plain')
  for (const line of [
    'lavit_request_duration_seconds_count{route="/detokenize",method="POST",status="200"} 1',
    'lavit_request_duration_seconds_count{route="unknown",method="GET",status="404"} 1',
    'lavit_errors_total{code="not_found"} 1',
    'lavit_stage_duration_seconds_count{route="/detokenize",stage="paint"} 1',
    'lavit_model_state{model="lavit-mini",state="ready"} 1',
    'lavit_queue_length{model="lavit-mini"} 2',
    'lavit_kv_slots_in_use{model="lavit-mini"} 3',
    'lavit_queued_cost{model="lavit-mini"} 40',
    'lavit_device_bus_bytes_total{model="lavit-mini",direction="up"} 900',
    'lavit_device_bus_bytes_total{model="lavit-mini",direction="down"} 1500',
    'lavit_device_buffers{model="lavit-mini"} 7',
    'lavit_device_buffer_bytes{model="lavit-mini"} 4096',
    'lavit_batch_size_sum{model="lavit-mini",kind="decode"} 4',
    'lavit_requests_in_flight 1',
    'lavit_device_engines{device="cpu"} 2',
    'lavit_device_budget_bytes{device="cpu"} 900',
    'lavit_device_used_bytes{device="cpu"} 100',
    'lavit_engine_restarts_total{model="lavit-mini",device="cpu"} 1'
  ]) {
    t.ok(response.body.includes(line), line)
  }
})

t.test('the document and its page', async t => {
  const app = await buildTestApp(t)
  t.match((await app.inject('/openapi.json')).json(), { openapi: '3.1.0', paths: { '/caption': {} } })
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  t.notMatch(page.body, /https?:\/\//, 'nothing is fetched from elsewhere')
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    t.equal((await app.inject(path!)).statusCode, 200, path!)
  }
  t.notMatch(page.body, /<script>/, 'the content security policy would refuse it')
})

t.test('metrics on a listener of their own', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_METRICS_PORT: '0' } })
  t.equal((await app.inject('/metrics')).statusCode, 404)
  t.notOk('/metrics' in (await app.inject('/openapi.json')).json().paths)
  const registry = { list: () => [{ name: 'a', state: 'ready' }], tellDevices: () => [] } as unknown as Registry
  const other = await buildMetricsApp({ registry, metrics: app.metrics })
  t.teardown(() => other.close())
  t.match((await other.inject('/metrics')).body, /^lavit_model_state\{model="a",state="ready"\} 1$/m)
  const nothing = await other.inject('/health/live')
  t.match(nothing.json(), { status: 404, code: 'not_found' }, 'and nothing else')
  t.match(nothing.headers, { 'x-request-id': nothing.json().request_id, 'server-timing': /total;dur=/ })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const sent of [
    { headers: form, payload: '{' },
    { headers: { 'content-type': 'application/json' }, payload: '{' },
    { headers: form, payload: Buffer.alloc(2_000_000) }
  ]) {
    const answer = await other.inject({ method: 'POST', url: '/metrics', ...sent })
    t.match(answer, { statusCode: 405, headers: { allow: 'GET, HEAD, OPTIONS' } })
    t.match(answer.json(), { code: 'method_not_allowed' })
  }
  t.match((await other.inject('/metrics?x=%zz')).json(), { status: 400, code: 'invalid_request' })
  const packed = await other.inject({ url: '/metrics', headers: { 'accept-encoding': 'gzip' } })
  t.equal(packed.headers['content-encoding'], 'gzip')
  t.match(gunzipSync(packed.rawPayload).toString(), /^lavit_model_state/m)
})
