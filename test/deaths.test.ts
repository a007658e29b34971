/** An engine that is killed or hangs at any stage of any job: its requests are told, the others have their answer. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import t, { type Test } from 'tap'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { createMetrics } from '../src/metrics.ts'
import { createRegistry } from '../src/registry/registry.ts'
import { manifest as shape } from './engine/fixtures/fake-model.ts'
import { eventsOf } from './fixtures/events.ts'
import { createLog, packageFiles } from './fixtures/package.ts'
import { base64 as image } from './helper.ts'

t.setTimeout(280_000) // every engine is a process of its own
t.jobs = 3

const prompt = [{ type: 'image', image }, { type: 'text', text: 'a dog' }]
const seed = 1
const previews = { url: '/generate', payload: { prompt, seed, previews: 1 }, mayStream: true }
const jobs = {
  tokenize: { url: '/tokenize', payload: { image }, mayStream: false },
  caption: { url: '/caption', payload: { image, seed, min_tokens: 3 }, mayStream: true },
  vqa: { url: '/vqa', payload: { image, seed, question: 'a dog', min_tokens: 3 }, mayStream: true },
  generate: { url: '/generate', payload: { prompt, seed }, mayStream: true },
  detokenize: { url: '/detokenize', payload: { visual_tokens: [1, 2, 3], seed }, mayStream: false }
}

type Job = { url: string; payload: object; mayStream: boolean }
const at = (graph: string, jobs: Record<string, Job>) =>
  Object.entries(jobs).map(([name, job]) => ({ stage: `${name} at ${graph}`, graph, job }))
const { tokenize, caption, vqa, generate, detokenize } = jobs
const stages = [
  ...at('queue', jobs),
  ...at('vision', { tokenize, caption, vqa, generate }),
  ...at('prefill', { caption, vqa, generate }),
  ...at('decode', { caption, vqa, generate }),
  ...at('paint', { generate, detokenize, 'a preview': previews })
]

const lanes = t.jobs // side by side: who hangs is waited for
const engines = 2
const answersAtOnce = 4

// one file of JavaScript, which starts faster than TypeScript: engines are started a hundred times
const program = join(t.testdir(), 'mortal-engine.mjs')
buildSync({
  entryPoints: [join(import.meta.dirname, 'fixtures/mortal-engine.ts')],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external'
})

let passedMs = 0
const now = performance.now.bind(performance)
mock.method(performance, 'now', () => now() + passedMs)

for (let lane = 0; lane < lanes; lane++) {
  t.test(`lane ${lane}`, { buffered: true }, async t => {
    const { folder, ask, ready, ended, restarts } = await start(t)
    for (const { stage, graph, job } of stages.filter((_, i) => i % lanes === lane)) {
      const whole = await ask(job, false)
      t.equal(whole.end, 'done', `${stage}: ${whole.body}`)
      for (const signal of ['SIGKILL', 'SIGSTOP']) {
        passedMs += 60_000 // as long as an engine has to run for its next start to follow at once
        const name = `${stage}, ${signal}`
        const [starts, deaths] = [ready(), ended()]
        writeFileSync(join(folder, `at-${graph}`), signal)
        const answers = await Promise.all(
          Array.from({ length: answersAtOnce }, (_, i) => ask(job, job.mayStream && i % 2 === 1))
        )
        const done = answers.filter(({ end }) => end === 'done')
        const lost = answers.filter(({ end }) => end !== 'done')
        for (const { body } of done) t.equal(body, whole.body, `${name}: the answer of an undisturbed one`)
        for (const { end } of lost) t.equal(end, 'engine_restarting', `${name}: the other is told`)
        if (graph !== 'queue') t.ok(lost.length > 0, `${name}: it was there`)
        while (ready() === starts || ready() - starts < ended() - deaths) await pause(5) // the engine is back
        const died = ended() - deaths // on a busy machine one may seem to hang
        t.ok(lost.length <= (died * answersAtOnce) / engines, `${name}: ${lost.length} lost, ${died} engines ended`)
      }
    }
    t.equal(await restarts(), ended(), 'each was started again, and counted')
  })
}

async function start (t: Test) {
  const { 'manifest.json': text = '', ...files } = packageFiles('small')
  const { graphs: { painter, ...graphs }, tokenizer, name } = JSON.parse(text)
  const manifest = { ...shape, name, tokenizer, graphs: { ...graphs, denoiser: painter } }
  manifest.tasks.generate = { ...shape.tasks.generate, max_tokens: 8, size: '4x4' }
  const folder = t.testdir({ small: { ...files, 'manifest.json': JSON.stringify(manifest) } })
  const config = readConfig(
    {
      LAVIT_MODELS: folder,
      LAVIT_MODEL: 'small',
      LAVIT_ENGINES: String(engines),
      LAVIT_ENGINE_TIMEOUT_MS: '1000',
      LAVIT_IMAGE_CACHE_MB: '0' // else a picture is encoded once
    },
    join(import.meta.dirname, '..')
  )
  const metrics = createMetrics()
  const { log, lines } = createLog()
  const entry = pathToFileURL(program)
  const reports = { onCounts: metrics.addEngineCounts, onRestart: metrics.countRestart }
  const registry = createRegistry({ ...config, threads: 1, log, entry, ...reports })
  const app = await buildApp({ config, registry, metrics, version: '0.1.0' })
  t.teardown(() => app.close())
  await registry.load('small')
  const told = (text: string) => lines.filter(({ message }) => message === text).length
  const ready = () => told('model ready')
  const ended = () => told('engine process ended')
  while (ready() < engines) await pause(5)

  /** How a request ends: `done`, or the code of its error. */
  async function ask ({ url, payload }: Job, stream: boolean) {
    const response = await app.inject({ method: 'POST', url, payload: stream ? { ...payload, stream } : payload })
    const type = String(response.headers['content-type'])
    if (!type.startsWith('text/event-stream')) {
      return { end: response.statusCode === 200 ? 'done' : response.json().code, body: response.body }
    }
    const events = eventsOf(response.body)
    const ends = events.filter(({ event }) => event === 'done' || event === 'error')
    const [last] = ends
    t.strictSame([ends.length, events.at(-1)], [1, last], 'one end, which is the last event')
    return { end: last?.event === 'done' ? 'done' : JSON.parse(last?.data ?? '{}').code, body: last?.data ?? '' }
  }

  const restarts = async () => Number(/^lavit_engine_restarts_total\{.*\} (\d+)$/m.exec(await metrics.text())?.[1])
  return { folder: join(folder, 'small'), ask, ready, ended, restarts }
}
