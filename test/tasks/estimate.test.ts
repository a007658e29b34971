// covers: src/tasks/experience.ts src/tasks/amounts.ts src/tasks/lengths.ts src/tasks/speeds.ts src/tasks/recent.ts
// covers: src/routes/estimate.ts src/schemas/estimate.ts
import t from 'tap'
import sharp from 'sharp'
import type { Work } from '../../src/pipe/work.ts'
import { createRecent, createTrend } from '../../src/tasks/recent.ts'
import { createSpeeds } from '../../src/tasks/speeds.ts'
import { answerWork, base64, buildTestApp } from '../helper.ts'

type App = Awaited<ReturnType<typeof buildTestApp>>

async function ask (app: App, url: string, payload: object) {
  const response = await app.inject({ method: 'POST', url, payload })
  t.equal(response.statusCode, 200, response.body)
  return response.json()
}

t.test('an estimate of each job, before anything was seen, is there and does no work', async t => {
  const app = await buildTestApp(t)
  const image = base64
  const asked = [
    { job: 'tokenize', request: { image } },
    { job: 'detokenize', request: { visual_tokens: [1, 2, 3], steps: 2 } },
    { job: 'caption', request: { image } },
    { job: 'vqa', request: { image, question: 'what is it?' } },
    { job: 'generate', request: { prompt: [{ type: 'image', image }, { type: 'text', text: 'a cat' }], n: 2 } }
  ]
  for (const body of asked) {
    const told = await ask(app, '/estimate', body)
    t.match(told, { model: 'lavit-mini', job: body.job, position: 0 })
    t.ok(told.seconds > 0 && told.seconds >= told.start_seconds && told.cost > 0, JSON.stringify(told))
    const { usage } = await ask(app, `/${body.job}`, body.request)
    t.strictSame(Object.keys(told.usage).sort(), Object.keys(usage).sort(), 'the numbers of the answer itself')
    for (const name of told.exact) t.equal(told.usage[name], usage[name], `${body.job}: ${name} is exact`)
  }
  t.equal(app.seen.works.length, asked.length, 'of the jobs alone')
  t.equal(app.seen.loans, 0)
})

t.test('the query is held to the fields, too', async t => {
  const app = await buildTestApp(t)
  const payload = { job: 'tokenize', request: { image: base64 } }
  const post = async (query: string) =>
    (await app.inject({ method: 'POST', url: `/estimate?${query}`, payload })).json()
  t.match(await post('foo=1'), { status: 422, errors: [{ pointer: '/foo', message: /^is not a field/ }] })
  t.match(await post('job=caption'), { status: 422, errors: [{ pointer: '/job', message: /body and in the query/ }] })
})

t.test('tokens are what the model was seen to keep and to say; bounds hold', async t => {
  const app = await buildTestApp(t)
  for (let i = 0; i < 8; i++) await ask(app, '/caption', { image: base64 })
  const estimate = (options: object) =>
    ask(app, '/estimate', { job: 'caption', request: { image: base64, ...options } })
  t.match(await estimate({}), { usage: { visual_tokens: 3, prompt_tokens: 0, completion_tokens: 10 } })
  t.match(await estimate({ max_tokens: 4 }), { usage: { completion_tokens: 4 } })
  t.match(await estimate({ min_visual_tokens: 5, max_visual_tokens: 5 }), {
    usage: { visual_tokens: 5 },
    exact: ['visual_tokens', 'prompt_tokens']
  })
})

t.test('of a picture that is known by its name the tokens are exact', async t => {
  const keepProbabilities = Float32Array.from({ length: 16 }, (_, patch) => (patch < 7 ? 0.8 : 0.1))
  const encoding = { features: new Float32Array(16 * 8), keepProbabilities }
  const app = await buildTestApp(t, {
    submit: async (work: Work, options) => ({ ...(await answerWork(work, options)), encoding })
  })
  const { image_ref: ref } = await ask(app, '/tokenize', { image: base64 })
  const estimate = (options: object) =>
    ask(app, '/estimate', { job: 'tokenize', request: { image: { ref }, ...options } })
  t.match(await estimate({}), { usage: { visual_tokens: 7 }, exact: ['visual_tokens', 'patches'] })
  t.match(await estimate({ keep_threshold: 0.9 }), { usage: { visual_tokens: 2 } }, 'the least of the model')
  t.match(await estimate({ max_visual_tokens: 4 }), { usage: { visual_tokens: 4 } })
  t.match(await estimate({ selection: 'sample' }), { usage: { visual_tokens: 6.5 }, exact: ['patches'] })
})

t.test('what the job refuses is refused here, its fields where they stand; what only reading tells is not', async t => {
  const app = await buildTestApp(t)
  const refused: [object, number, object][] = [
    [{ job: 'caption', request: {} }, 422, { errors: [{ pointer: '/request/image' }] }],
    [{ job: 'vqa', request: { image: base64, question: ' ' } }, 422, { errors: [{ pointer: '/request/question' }] }],
    [{ job: 'caption', request: { image: base64, beams: 2 } }, 422, { errors: [{ pointer: '/request/beams' }] }],
    [{ job: 'paint', request: {} }, 422, { errors: [{ pointer: '/job', message: /tokenize.*generate/ }] }],
    [{ request: {} }, 422, { errors: [{ pointer: '/job' }] }],
    [{ job: 'tokenize', request: { image: { ref: 'img_gone' } } }, 410, { code: 'image_ref_expired' }],
    [{ job: 'tokenize', request: { image: base64, model: 'other' } }, 404, { code: 'model_not_found' }],
    [{ job: 'caption', request: { image: base64, num_beams: 16, n: 8, max_tokens: 90 } }, 413, { code: 'too_large' }]
  ]
  for (const [payload, status, body] of refused) {
    const response = await app.inject({ method: 'POST', url: '/estimate', payload })
    t.equal(response.statusCode, status, response.body)
    t.match(response.json(), body)
  }
  const noPicture = Buffer.from('no picture').toString('base64')
  t.match(await ask(app, '/estimate', { job: 'tokenize', request: { image: noPicture } }), { job: 'tokenize' })
  t.strictSame(app.seen.works, [])
})

t.test('answers of accepted jobs tell their place, estimates and refusals do not', async t => {
  const app = await buildTestApp(t, { environment: { LAVIT_CORS_ORIGINS: '*' } })
  const headers = { origin: 'https://a.example' }
  const send = (url: string, payload: object) => app.inject({ method: 'POST', url, payload, headers })
  for (const options of [{}, { stream: true }]) {
    const answer = await send('/caption', { image: base64, ...options })
    t.match(answer.headers, { 'x-queue-position': '2', 'x-expected-start-ms': '7.3' })
    t.match(answer.headers['access-control-expose-headers'], /x-queue-position, x-expected-start-ms/)
  }
  const others: [string, object][] = [
    ['/caption', {}],
    ['/estimate', { job: 'tokenize', request: { image: base64 } }]
  ]
  for (const [url, payload] of others) t.notOk('x-queue-position' in (await send(url, payload)).headers, url)
})

t.test('a picture of another size of file is expected to be like those of its size', async t => {
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 50 }
  const grain = { width: 64, height: 64, channels: 3 as const, background: 'red', noise }
  const noisy = await sharp({ create: grain }).png().toBuffer()
  let kept = 3
  const app = await buildTestApp(t, {
    submit: async (work, options) => ({ ...(await answerWork(work, options)), codes: Array(kept).fill(1) })
  })
  for (let i = 0; i < 8; i++) {
    kept = 3
    await ask(app, '/tokenize', { image: base64 })
    kept = 12
    await ask(app, '/tokenize', { image: noisy.toString('base64') })
  }
  const estimate = (image: string) => ask(app, '/estimate', { job: 'tokenize', request: { image } })
  t.match(await estimate(base64), { usage: { visual_tokens: 3 } })
  t.match(await estimate(noisy.toString('base64')), { usage: { visual_tokens: 12 } })
})

t.test('speeds are those that were measured at about this load', async t => {
  const speeds = createSpeeds()
  const amounts = { encode: 1, prefill: 1, decode: 10, paint: 0 }
  const timings = { start: 2, queue: 12, encode: 5, prefill: 5, decode: 20, paint: 0 }
  const place = { ahead: 0, beside: 0 }
  t.ok(speeds.total('text', 0, amounts) > 0, 'before anything was measured')
  for (let i = 0; i < 3; i++) speeds.add('text', place, amounts, timings)
  speeds.addOutside('text', 0, amounts, { image: 3, rest: 5, all: 50 })
  t.equal(speeds.total('text', 0, amounts), 50)
  t.equal(speeds.total('text', 0, { ...amounts, decode: 20 }), 80, 'ten more tokens, each with its waiting')
  const slower = speeds.total('text', 8, amounts)
  t.ok(slower > 50, 'not measured there: slower')
  for (let i = 0; i < 3; i++) speeds.add('text', { ahead: 1, beside: 9 }, amounts, { ...timings, queue: 120 })
  speeds.addOutside('text', 9, amounts, { image: 3, rest: 5, all: 158 })
  t.equal(speeds.total('text', 8, amounts), 158, 'measured at about this load')
  t.equal(speeds.total('text', 0, amounts), 50)
  for (let i = 0; i < 3; i++) speeds.addOutside('text', 0, amounts, { image: 3, rest: 5, all: 60 })
  t.equal(speeds.total('text', 0, amounts), 60, 'longer than its parts, as requests are')
})

t.test('a request begins as those of its kind did that had as many before them', async t => {
  const speeds = createSpeeds()
  for (let i = 0; i < 3; i++) {
    speeds.addStart('text', { ahead: 0, beside: 0 }, 4)
    speeds.addStart('text', { ahead: 0, beside: 5 }, 12)
    speeds.addStart('text', { ahead: 9, beside: 12 }, 90)
  }
  t.equal(speeds.start('text', { ahead: 0, beside: 0 }), 4)
  t.equal(speeds.start('text', { ahead: 0, beside: 15 }), 12)
  t.equal(speeds.start('text', { ahead: 8, beside: 15 }), 90)
})

t.test('what is expected follows what was seen last', async t => {
  const recent = createRecent()
  t.equal(recent.median(), undefined)
  for (let i = 0; i < 100; i++) recent.add(i)
  t.equal(recent.median(), 84, 'of the last 31')
  const trend = createTrend()
  t.equal(trend.at(1), undefined)
  for (let i = 0; i < 20; i++) trend.add(i % 2, 10 * (i % 2))
  t.equal(trend.at(0.9), 10)
  t.equal(trend.at(0.1), 0)
})
