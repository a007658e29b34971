import t from 'tap'
import type { SubmitOptions } from '../../src/pipe/engine-client.ts'
import type { LoadedModel } from '../../src/registry/registry.ts'
import { createEncodings } from '../../src/tasks/encodings.ts'
import { createExperiences } from '../../src/tasks/experience.ts'
import { withModel, type Job } from '../../src/tasks/job.ts'
import { manifest } from '../fixtures/manifest.ts'

const painted = { pictures: [], visualTokens: 0, promptTokens: 0 }
const course = { ms: 0, phases: {}, kept: [] }

function createJob (acquire: () => Promise<LoadedModel>, signal = new AbortController().signal): Job {
  return {
    owner: '',
    registry: { acquire, look: () => t.fail('not asked for') as never },
    limits: {
      maxImageBytes: 1,
      maxUploadBytes: 1,
      maxImagePixels: 1,
      imageFormats: [],
      maxPromptCharacters: 1,
      slots: 1,
      queueCost: 1
    },
    client: 'a',
    encodings: createEncodings({ mostBytes: 0 }),
    experiences: createExperiences(),
    uploads: [],
    isBulk: false,
    signal,
    timings: {},
    arrivedAt: 0,
    progress: { stage: 'upload' },
    story: { pictures: [], runs: [] },
    measures: { observeAnswer () {}, countPreview () {}, countLookup () {} },
    fileBytes: []
  }
}

function createLoan () {
  const loan = {
    manifest,
    text: {} as LoadedModel['text'],
    admit: () => {},
    submit: (async () => ({ result: painted, timings: {}, course })) as unknown as LoadedModel['submit'],
    released: 0,
    release: () => {
      loan.released++
    }
  }
  return loan
}

t.test('gives the model back, whatever happened', async t => {
  const loan = createLoan()
  t.equal(
    await withModel(
      createJob(async () => loan),
      {},
      async () => 'done'
    ),
    'done'
  )
  await t.rejects(
    withModel(
      createJob(async () => loan),
      {},
      async () => {
        throw new Error('x')
      }
    ),
    { message: 'x' }
  )
  t.equal(loan.released, 2)
})

t.test('the signal goes with the loan and with the work, and so do priority and who listens to parts', async t => {
  const loan = createLoan()
  const painting = { width: 8, height: 8, steps: 1, decoderGuidanceScale: 1, seed: 0 }
  const given: unknown[] = []
  loan.submit = (async (_work: unknown, options: SubmitOptions) => {
    given.push(options)
    options.onPart?.({ kind: 'queued', position: 0 })
    return { result: painted, timings: { queue: 1 }, course }
  }) as unknown as LoadedModel['submit']
  const job = createJob(async (...options: unknown[]) => {
    given.push(options)
    return loan
  })
  const heard: unknown[] = []
  const onPart = (part: unknown) => heard.push(part)
  t.equal(
    await withModel(job, { model: 'x', priority: 'bulk' }, model =>
      model.run({ task: 'detokenize', codes: [], painting }, { onPart })
    ),
    painted
  )
  t.match(given, [['x', job.signal], { signal: job.signal, onPart: Function, isBulk: true, client: 'a' }])
  t.strictSame(heard, [{ kind: 'queued', position: 0 }])
  t.match(job.timings, { queue: 1 })
})

t.test('ends with the reason of its signal at any point, and gives the model back', async t => {
  const loan = createLoan()
  const controller = new AbortController()
  const reason = new Error('late')
  const working = withModel(
    createJob(async () => loan, controller.signal),
    {},
    () => new Promise(() => {})
  )
  await new Promise(resolve => setImmediate(resolve))
  controller.abort(reason)
  t.equal(await working.catch(error => error), reason)
  t.equal(loan.released, 1)
})

t.test('a name that no package can have is not looked up', async t => {
  const job = createJob(async () => t.fail('looked up') as never)
  for (const model of ['../x', '', 'A', 'a/b']) {
    await t.rejects(
      withModel(job, { model }, async () => {}),
      { code: 'model_not_found' }
    )
  }
})
