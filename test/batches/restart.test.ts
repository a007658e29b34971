/** A batch whose server is killed and stopped in its midst ends with the bytes of one that nobody disturbed. */
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { follow, start } from '../fixtures/server-process.ts'

type Told = { id: string; status: string; output_file_id: string; error_file_id: string; request_counts: Counts }
type Counts = { total: number; completed: number; failed: number }

const scene = readFileSync(new URL('../fixtures/scene.png', import.meta.url)).toString('base64')
const count = 60
const lines = Array.from({ length: count }, (_, i) => ({
  custom_id: `${i}`,
  method: 'POST',
  url: '/caption',
  body: { image: i % 10 === 3 ? 'AAAA' : scene, seed: i, temperature: 1, num_beams: 1, n: 4 }
}))
const file = lines.map(line => JSON.stringify(line) + '\n').join('')

async function startServer (t: Test, folder: string) {
  const environment = { LAVIT_BATCH_DIR: folder, LAVIT_BATCH_IN_FLIGHT: '3', LAVIT_ENGINES: '1' }
  const child = start({ ...environment, LAVIT_GRACE_MS: '5000' })
  t.teardown(() => child.kill('SIGKILL'))
  const { msg } = await follow(child).until(/Server listening at/)
  const url = /http:\S+/.exec(msg)?.[0] ?? ''
  return {
    async end (signal: 'SIGTERM' | 'SIGKILL') {
      child.kill(signal)
      await once(child, 'close')
    },
    async ask (path: string, init: RequestInit = {}) {
      const answer = await fetch(url + path, init)
      if (!answer.ok) throw new Error(await answer.text())
      return answer
    }
  }
}

type Server = Awaited<ReturnType<typeof startServer>>

async function begin ({ ask }: Server): Promise<string> {
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set('file', new Blob([file]), 'requests.jsonl')
  const sent = (await (await ask('/v1/files', { method: 'POST', body: form })).json()) as { id: string }
  const body = JSON.stringify({ input_file_id: sent.id, endpoint: '/caption', completion_window: '24h' })
  const headers = { 'content-type': 'application/json' }
  const made = (await (await ask('/v1/batches', { method: 'POST', headers, body })).json()) as { id: string }
  return made.id
}

async function until ({ ask }: Server, id: string, check: (batch: Told) => boolean): Promise<Told> {
  for (;;) {
    const batch = (await (await ask(`/v1/batches/${id}`)).json()) as Told
    if (check(batch)) return batch
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function resultsOf (server: Server, id: string) {
  const batch = await until(server, id, ({ status }) => status === 'completed')
  const read = async (id: string) => (await server.ask(`/v1/files/${id}/content`)).text()
  return { counts: batch.request_counts, good: await read(batch.output_file_id), bad: await read(batch.error_file_id) }
}

const doneOf = ({ request_counts: { completed, failed } }: Told) => completed + failed

t.test('killed, and stopped', async t => {
  const calm = await startServer(t, t.testdir({ calm: {}, wild: {} }) + '/calm')
  const undisturbed = await resultsOf(calm, await begin(calm))
  await calm.end('SIGTERM')
  t.strictSame(undisturbed.counts, { total: count, completed: 54, failed: 6 })

  const folder = t.testdirName + '/wild'
  let server = await startServer(t, folder)
  const id = await begin(server)
  let before = 0
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const batch = await until(server, id, batch => doneOf(batch) > before)
    before = doneOf(batch)
    t.ok(before < count, `${signal} at ${before} of ${count}`)
    await server.end(signal)
    server = await startServer(t, folder)
  }
  const wild = await resultsOf(server, id)
  t.strictSame(wild.counts, undisturbed.counts)
  t.ok(wild.good === undisturbed.good, 'the good answers are the same bytes')
  t.ok(wild.bad === undisturbed.bad, 'so are the errors')
  const names = (wild.good + wild.bad).trim().split('\n').map(row => JSON.parse(row).custom_id)
  t.strictSame(names.sort((a, b) => a - b), lines.map(({ custom_id: name }) => name), 'each line once')
  await server.end('SIGTERM')
})
