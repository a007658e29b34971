import t from 'tap'
import type { LoadedModel } from '../../src/registry/registry.ts'
import { withModel, type Job } from '../../src/tasks/job.ts'
import { manifest } from '../helper.ts'

function createJob (acquire: () => Promise<LoadedModel>, signal = new AbortController().signal): Job {
  return { registry: { acquire }, limits: { maxImageBytes: 1, maxUploadBytes: 1, maxImagePixels: 1, imageFormats: [], maxPromptCharacters: 1, slots: 1, queueCost: 1 }, uploads: [], signal, startedAt: performance.now(), timings: {} }
}

function createLoan () {
  const loan = { manifest, text: {} as LoadedModel['text'], submit: (async () => ({ result: {}, timings: {} })) as unknown as LoadedModel['submit'], released: 0, release: () => { loan.released++ } }
  return loan
}

t.test('gives the model back, whatever happened', async t => {
  const loan = createLoan()
  t.equal(await withModel(createJob(async () => loan), {}, async () => 'done'), 'done')
  await t.rejects(withModel(createJob(async () => loan), {}, async () => { throw new Error('x') }), { message: 'x' })
  t.equal(loan.released, 2)
})

t.test('a deadline ends the wait for a model, which goes back when it comes after all', async t => {
  const loan = createLoan()
  let lend = (_loan: LoadedModel) => {}
  const job = createJob(() => new Promise(resolve => { lend = resolve }))
  await t.rejects(withModel(job, { deadline_ms: 5 }, async () => {}), { code: 'deadline_exceeded' })
  lend(loan)
  await new Promise(resolve => setImmediate(resolve))
  t.equal(loan.released, 1)
})

t.test('a client that leaves ends the wait for a model', async t => {
  const controller = new AbortController()
  const waiting = withModel(createJob(() => new Promise(() => {}), controller.signal), {}, async () => {})
  controller.abort()
  await t.rejects(waiting, { code: 'request_cancelled' })
  await t.rejects(withModel(createJob(() => new Promise(() => {}), controller.signal), {}, async () => {}), { code: 'request_cancelled' })
})

t.test('what is left of the deadline goes with the work', async t => {
  const loan = createLoan()
  let given: number | undefined
  loan.submit = (async (_work: unknown, options: { deadlineMs?: number }) => {
    given = options.deadlineMs
    return { result: 1, timings: { queue: 1 } }
  }) as unknown as LoadedModel['submit']
  const job = createJob(async () => loan)
  await withModel(job, { deadline_ms: 1000 }, model => model.run({ task: 'detokenize', codes: [], painting: {} as never }))
  t.ok(given! > 0 && given! <= 1000)
  t.match(job.timings, { queue: 1 })
  await t.rejects(withModel(createJob(async () => loan), { deadline_ms: 1 }, async model => {
    await new Promise(resolve => setTimeout(resolve, 5))
    return model.run({ task: 'detokenize', codes: [], painting: {} as never })
  }), { code: 'deadline_exceeded' })
})

t.test('a name that no package can have is not looked up', async t => {
  const job = createJob(async () => t.fail('looked up') as never)
  for (const model of ['../x', '', 'A', 'a/b']) await t.rejects(withModel(job, { model }, async () => {}), { code: 'model_not_found' })
})
