// covers: src/pipe/bytes.ts src/tasks/measures.ts
/** What /metrics counts is what happened: a scripted load on the embedded model, and jobs that end early. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ServerError } from '../src/errors.ts'
import { noCounts, type SubmitOptions } from '../src/pipe/engine-client.ts'
import { createMetrics } from '../src/metrics.ts'
import { startApp } from './fixtures/embedded-app.ts'
import { base64, buildTestApp } from './helper.ts'

const image = readFileSync(join(import.meta.dirname, 'fixtures/apple.png')).toString('base64')

/** The value of a series, its labels in their order; 0 where there is none. */
async function valueOf (metrics: { text: () => Promise<string> }, series: string) {
  const line = (await metrics.text()).split('\n').find(line => line.startsWith(`${series} `))
  return Number(line?.slice(series.length) ?? 0)
}

t.test('counters equal what was done', async t => {
  const app = await startApp(t, { LAVIT_ENGINES: '1' })
  const ask = async (url: string, payload: object) => {
    const response = await app.inject({ method: 'POST', url, payload: { seed: 1, ...payload } })
    t.equal(response.statusCode, 200, response.body)
    return response
  }
  const count = (series: string) => valueOf(app.metrics, series)
  const bytes = (direction: string) => count(`lavit_pipe_bytes_total{model="lavit-mini",direction="${direction}"}`)

  const { count: kept, image_ref: ref, keep_mask: mask } = (await ask('/tokenize', { image })).json()
  const { image: { size }, visual_tokenizer: { feature_dim: dim } } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../models/lavit-mini/manifest.json'), 'utf8')
  )
  const encoding = 4 * mask.length * (dim + 1)
  t.strictSame([await bytes('to_engine'), await bytes('from_engine')], [3 * size * size, encoding])

  const greedy = { num_beams: 1, temperature: 0 }
  const caption = (await ask('/caption', { image, ...greedy })).json()
  await ask('/caption', { image: { ref }, ...greedy })
  await ask('/vqa', { image: { ref }, question: 'what is it?', ...greedy })
  t.equal(await bytes('to_engine'), 3 * size * size + 3 * encoding, 'what is known is not computed again')
  const { images: [painted] } = (await ask('/generate', { prompt: 'a dog' })).json()
  const before = await bytes('from_engine')
  const stage = (route: string, name: string) =>
    count(`lavit_stage_duration_seconds_count{route="${route}",stage="${name}"}`)
  t.strictSame(
    await Promise.all(['queue', 'prefill', 'decode', 'paint', 'encode'].map(name => stage('/generate', name))),
    [1, 1, 1, 1, 0],
    'a stage that a job did not go through is not one of no time'
  )
  const { width, height } = painted
  t.equal(before, encoding + 3 * width * height)
  await ask('/detokenize', { visual_tokens: [1, 2, 3], size: `${width}x${height}` })
  t.equal(await bytes('from_engine'), before + 3 * width * height)
  const streamed = await ask('/generate', { prompt: 'a dog', stream: true, previews: 3 })
  const told = streamed.body.match(/^event: preview$/gm)?.length ?? 0
  t.ok(told > 0)

  for (const [series, value] of [
    ['lavit_kept_tokens_per_picture_count{model="lavit-mini"}', 4],
    ['lavit_kept_tokens_per_picture_sum{model="lavit-mini"}', 4 * kept],
    ['lavit_encoding_lookups_total{by="ref",result="hit"}', 2],
    ['lavit_encoding_lookups_total{by="pixels",result="hit"}', 1],
    ['lavit_encoding_lookups_total{by="pixels",result="miss"}', 1],
    ['lavit_time_to_first_token_seconds_count{model="lavit-mini",task="caption"}', 2],
    ['lavit_time_to_first_token_seconds_count{model="lavit-mini",task="vqa"}', 1],
    ['lavit_time_to_first_token_seconds_count{model="lavit-mini",task="generate"}', 2],
    ['lavit_time_to_first_token_seconds_count{model="lavit-mini",task="tokenize"}', 0],
    ['lavit_time_per_output_token_seconds_count{model="lavit-mini",task="caption"}', 2],
    ['lavit_previews_total{model="lavit-mini"}', told],
    ['lavit_errors_total{code="image_ref_expired"}', 0]
  ] as const) {
    t.equal(await count(series), value, series)
  }

  await app.inject({ method: 'POST', url: '/caption', payload: { image: { ref: 'img_gone' } } })
  t.equal(await count('lavit_encoding_lookups_total{by="ref",result="miss"}'), 1)

  const spent = 'lavit_time_per_output_token_seconds_sum{model="lavit-mini",task="caption"}'
  const steps = caption.usage.completion_tokens // the end is drawn, too, and the first comes with the prompt
  const units = await count('lavit_batch_size_count{model="lavit-mini",kind="decode"}')
  t.ok(await count(spent) > 0)
  t.ok(units >= 2 * steps, `${units} units of decoding`)
})

t.test('a job that ends early is counted once, where it was', async t => {
  const reason = new ServerError('deadline_exceeded', 'late')
  /** What is counted of a caption that ends when it has come to a stage. */
  const counted = async (t: Test, overrides: (end: () => void) => Parameters<typeof buildTestApp>[1]) => {
    let end = () => {}
    const app = await buildTestApp(t, overrides(() => end()))
    end = () => app.endJobs(reason)
    await app.inject({ method: 'POST', url: '/caption', payload: { image: base64 } })
    return (await app.metrics.text()).match(/^lavit_cancelled_total\{.*/gm)?.map(line => line.replace(/^\w+/, ''))
  }
  const at = (stage: string) => [`{stage="${stage}",code="deadline_exceeded"} 1`]
  const never = () => new Promise<never>(() => {})

  for (const stage of ['encode', 'prefill', 'decode', 'paint'] as const) {
    const overrides = (end: () => void) => ({
      submit (_work: unknown, { onStage }: SubmitOptions) {
        onStage?.(stage)
        end()
        return never()
      }
    })
    t.strictSame(await counted(t, overrides), at(stage), stage)
  }
  const hold = (end: () => void) => () => {
    end()
    return never()
  }
  const queued = (end: () => void) => ({ submit: hold(end) })
  const loading = (end: () => void) => ({
    registry: {
      async acquire () {
        end()
        throw reason
      }
    }
  })
  t.strictSame(await counted(t, queued), at('queue'))
  t.strictSame(await counted(t, loading), at('load'))
  t.equal(await counted(t, () => ({})), undefined, 'one that is answered is not')
})

t.test('restarts are counted from 0 on, so that the first one is an increase', async t => {
  const metrics = createMetrics()
  const series = 'lavit_engine_restarts_total{model="m",device="cpu"}'
  metrics.addEngineCounts('m', noCounts, 'cpu')
  t.equal(await valueOf(metrics, series), 0)
  metrics.countRestart('m', 'cpu')
  metrics.addEngineCounts('m', noCounts, 'cpu')
  t.equal(await valueOf(metrics, series), 1)
})

t.test('what a model has on a GPU is told as long as it has it', async t => {
  const metrics = createMetrics()
  const series = 'lavit_device_buffers{model="m"}'
  metrics.addEngineCounts('m', { ...noCounts, bus: { up: 1, down: 2, buffers: 3, held: 4 } }, 'webgpu:0')
  t.equal(await valueOf(metrics, series), 3)
  metrics.addEngineCounts('m', noCounts, 'cpu')
  t.notMatch(await metrics.text(), series, 'no longer')
  t.equal(await valueOf(metrics, 'lavit_device_bus_bytes_total{model="m",direction="down"}'), 2, 'what crossed stays')
})
