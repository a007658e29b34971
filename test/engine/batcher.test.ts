// covers: src/engine/admission.ts src/engine/device.ts src/engine/ticket.ts src/engine/drawing/random.ts
// covers: src/engine/stations/chunks.ts src/engine/stations/decode.ts
// covers: src/engine/stations/heads.ts src/engine/stations/paint.ts src/engine/stations/paint-job.ts
// covers: src/engine/stations/prefill.ts src/engine/stations/queue.ts src/pipe/cost.ts
import fc from 'fast-check'
import t from 'tap'
import type { FromEngine } from '../../src/pipe/messages.ts'
import type { TextResult, Work } from '../../src/pipe/work.ts'
import type { Graphs } from '../../src/engine/device.ts'
import { fakeGraphs, manifest, type Call } from './fixtures/fake-model.ts'
import { anyWork } from '../fixtures/arbitraries.ts'
import { mostNarrowRows } from '../../src/engine/stations/rows.ts'
import { reservedRows, rowsOf } from '../../src/pipe/cost.ts'
import { createHarness, limits } from './fixtures/harness.ts'
import { generateWork, painting, picture, sampling, textWork } from './fixtures/works.ts'

async function runAlone<R> (work: Work): Promise<R> {
  return (await createHarness().run(work)) as R
}

t.test('a picture of which nothing is kept', async t => {
  const selection = { rule: 'threshold' as const, keepThreshold: 1, seed: 0 }
  const nothing = { ...picture(), selection }
  const bare = { ...manifest, visual_tokenizer: { ...manifest.visual_tokenizer, min_visual_tokens: 0 } }
  const works: Work[] = [
    { task: 'tokenize', picture: nothing },
    textWork({
      segments: [
        { kind: 'ids', ids: [100] },
        { kind: 'features', picture: nothing },
        { kind: 'ids', ids: [101] }
      ]
    }),
    generateWork({
      segments: [
        { kind: 'codes', picture: nothing },
        { kind: 'ids', ids: [100] }
      ]
    })
  ]
  const harness = createHarness(fakeGraphs(), {}, bare)
  works.forEach((work, id) => harness.batcher.submit(id, work))
  const [tokenized, text, painted] = await harness.all([0, 1, 2])
  t.match(tokenized, { kind: 'done', result: { codes: [], keepMask: [false, false, false, false] } }, 'has no codes')
  t.match(
    text,
    { kind: 'done', result: { visualTokens: 0, sequences: [{ ids: Array }] } },
    'is read as its start and end'
  )
  t.match(
    painted,
    { kind: 'done', result: { visualTokens: 0, pictures: [{ codes: Array }] } },
    'adds nothing to a prompt'
  )
})

t.test('a long prompt is read in chunks, and the answer is shortened to the room that is left', async t => {
  const calls: Call[] = []
  const harness = createHarness(
    fakeGraphs(call => {
      calls.push(call)
    })
  )
  const ids = Array.from({ length: 97 }, (_, i) => 3 + (i % 90))
  harness.batcher.submit(
    1,
    textWork({ segments: [{ kind: 'ids', ids }], sampling: { ...sampling, maxTokens: 50, minTokens: 3 } })
  )
  const [end] = await harness.all([1])
  t.match(end, { kind: 'done' })
  t.equal(calls.filter(({ graph }) => graph === 'prefill').length, 2)
  t.ok((end as { result: TextResult }).result.sequences[0]!.ids.length <= 4)
})

t.test('admission', async t => {
  const cases: [string, Work, Partial<typeof limits>, string][] = [
    [
      'a prompt that does not fit',
      textWork({ segments: [{ kind: 'ids', ids: new Array<number>(100).fill(5) }] }),
      {},
      'too_large'
    ],
    [
      'a picture that might not fit',
      textWork({
        segments: [
          { kind: 'ids', ids: new Array<number>(96).fill(5) },
          { kind: 'codes', picture: picture() }
        ]
      }),
      {},
      'too_large'
    ],
    ['more rows than slots', textWork({ n: 5 }), {}, 'too_large'],
    ['guidance doubles the rows', generateWork({ n: 3 }), {}, 'too_large'],
    ['more codes than patches', { task: 'detokenize', codes: [1, 2, 3, 4, 5], painting }, {}, 'too_large'],
    ['more cost than the queue may hold', textWork(), { queueCost: 5 }, 'too_large'],
    ['no place in the queue', textWork(), { queueLimit: 0 }, 'queue_full']
  ]
  for (const [name, work, overrides, code] of cases) {
    t.test(name, async t => {
      const calls: Call[] = []
      const harness = createHarness(
        fakeGraphs(call => {
          calls.push(call)
        }),
        overrides
      )
      harness.batcher.submit(1, work)
      t.match(harness.endsOf(1), [{ kind: 'error', code }])
      t.equal(harness.batcher.counts().queuedCost, 0)
      await new Promise(resolve => setImmediate(resolve))
      t.strictSame(calls, [])
    })
  }

  t.test('queue_full says when to come back', async t => {
    const harness = createHarness(fakeGraphs(), { queueLimit: 1 })
    harness.batcher.submit(1, textWork())
    harness.batcher.submit(2, textWork())
    t.match(harness.endsOf(2), [{ kind: 'error', code: 'queue_full', retryAfterSeconds: 1 }])
    await harness.all([1])
    harness.batcher.submit(3, textWork())
    harness.batcher.submit(4, textWork())
    t.match(harness.endsOf(4), [{ code: 'queue_full', retryAfterSeconds: Number }])
    await harness.all([3])
  })
})

t.test('cancel', async t => {
  t.test('takes effect before the next unit and frees the slots', async t => {
    let calls = 0
    const harness = createHarness(
      fakeGraphs(call => {
        calls++
        if (call.graph === 'decode') harness.batcher.cancel(1)
      })
    )
    harness.batcher.submit(1, textWork({ sampling: { ...sampling, maxTokens: 80, minTokens: 80 }, numBeams: 3 }))
    t.match(await harness.all([1]), [{ kind: 'cancelled', id: 1 }])
    t.equal(calls, 2)
    t.match(harness.batcher.counts(), { slotsInUse: 0, queuedCost: 0, waiting: 0, running: 0 })
  })

  t.test('of a request that is being read, before it has a sequence', async t => {
    const harness = createHarness(fakeGraphs(() => harness.batcher.cancel(1)))
    harness.batcher.submit(1, textWork({ segments: [{ kind: 'ids', ids: new Array<number>(90).fill(5) }] }))
    t.match(await harness.all([1]), [{ kind: 'cancelled' }])
    t.equal(harness.batcher.counts().slotsInUse, 0)
  })

  t.test('of a request that has ended, or never was, does nothing', async t => {
    const harness = createHarness()
    harness.batcher.submit(1, textWork())
    await harness.all([1])
    harness.batcher.cancel(1)
    harness.batcher.cancel(99)
    t.equal(harness.endsOf(1).length, 1)
    t.equal(harness.endsOf(99).length, 0)
  })

  t.test('closing cancels what is left and refuses what comes', async t => {
    const harness = createHarness()
    harness.batcher.submit(1, textWork())
    await harness.batcher.close()
    harness.batcher.submit(2, textWork())
    t.match([harness.endsOf(1), harness.endsOf(2)], [[{ kind: 'cancelled' }], [{ kind: 'error', code: 'draining' }]])
  })
})

t.test('a unit that fails', async t => {
  t.test('fails its requests only', async t => {
    const harness = createHarness(
      fakeGraphs(call => {
        if (call.graph === 'paint') throw new Error('broken', { cause: new Error('deep') })
      })
    )
    harness.batcher.submit(1, { task: 'detokenize', codes: [1], painting })
    harness.batcher.submit(2, textWork())
    t.match(await harness.all([1, 2]), [
      { kind: 'error', code: 'internal_error', detail: 'broken: deep' },
      { kind: 'done' }
    ])
  })

  t.test('logits that are no numbers fail one request of a decode step, not its neighbours', async t => {
    const graphs = fakeGraphs()
    const broken: Graphs = {
      ...graphs,
      languageModel: {
        async run (tokens, cache) {
          const step = await graphs.languageModel.run(tokens, cache)
          if (tokens.count === 1 && cache.rows > 1) step.states.fill(NaN, 0, 2)
          return step
        }
      }
    }
    const harness = createHarness(broken)
    const long = { ...sampling, minTokens: 6 }
    harness.batcher.submit(1, textWork({ sampling: long }))
    harness.batcher.submit(2, textWork({ sampling: long }))
    const kinds = (await harness.all([1, 2])).map(({ kind }) => kind).sort()
    t.strictSame(kinds, ['done', 'error'])
  })
})

t.test('a picture has at least one code, whatever the model would rather draw', async t => {
  const graphs = fakeGraphs()
  const harness = createHarness({
    ...graphs,
    heads: {
      ...graphs.heads,
      everything: async states => (await graphs.heads.everything(states)).map(scores => scores.fill(1e6, 0, 1))
    }
  })
  harness.batcher.submit(1, generateWork({ sampling: { ...sampling, minTokens: 0 } }))
  t.match(await harness.all([1]), [{ kind: 'done', result: { pictures: [{ codes: [Number] }] } }])
})

t.test('decoding and painting both go on while pictures keep coming', async t => {
  const calls: Call['graph'][] = []
  const harness = createHarness(
    fakeGraphs(({ graph }) => {
      calls.push(graph)
      if (calls.length < 40) harness.batcher.submit(100 + calls.length, { task: 'tokenize', picture: picture() })
    })
  )
  harness.batcher.submit(1, textWork({ sampling: { ...sampling, maxTokens: 30, minTokens: 30 } }))
  harness.batcher.submit(2, { task: 'detokenize', codes: [1], painting: { ...painting, steps: 30 } })
  await harness.all([1, 2])
  for (const [i, graph] of calls.slice(4, 36).entries()) {
    t.ok(calls.slice(i + 4, i + 8).includes(graph === 'paint' ? 'decode' : 'paint'), `unit ${i + 4}`)
  }
})

t.test('counts and timings', async t => {
  const harness = createHarness(fakeGraphs(() => new Promise(resolve => setTimeout(resolve, 2))))
  harness.batcher.submit(
    1,
    generateWork({
      segments: [
        { kind: 'codes', picture: picture() },
        { kind: 'ids', ids: [100] }
      ]
    })
  )
  t.match(harness.batcher.counts(), { waiting: 1, running: 0 })
  const [end] = await harness.all([1])
  const { timings } = end as Extract<FromEngine, { kind: 'done' }>
  for (const [stage, ms] of Object.entries(timings)) t.ok(ms > 0, stage)
  const last = harness.messages.at(-1)
  t.match(last, { kind: 'counts', counts: { waiting: 0, running: 0, slotsInUse: 0, queuedCost: 0 } })
  const kinds = harness.messages.flatMap(message =>
    message.kind === 'counts' ? message.counts.units.map(({ kind }) => kind) : []
  )
  t.strictSame([...new Set(kinds)].sort(), ['decode', 'encode', 'paint', 'prefill'])
})

t.test(
  'whatever comes, is cancelled or fails: one end each, within capacity, in order, and nothing is left',
  async () => {
    const command = fc.record({
      work: anyWork,
      cancelAfter: fc.option(fc.nat(30), { nil: undefined, freq: 3 }),
      arriveAfter: fc.nat(15)
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 1, maxLength: 8 }),
        fc.option(fc.nat(40), { nil: -1, freq: 3 }),
        async (commands, failAt) => {
          let calls = 0
          const prefilled: number[] = []
          const submitted = new Set<number>()
          const submit = () => {
            for (const [id, { work, arriveAfter }] of commands.entries()) {
              if (arriveAfter > calls || submitted.has(id)) continue
              submitted.add(id)
              harness.batcher.submit(id, tagged(work, id))
            }
          }
          const harness = createHarness(
            fakeGraphs(({ rows, graph, firstId }) => {
              const hasRows = graph !== 'paint' && graph !== 'vision'
              if (hasRows && rows > limits.slots + reservedRows) throw new Error('over capacity')
              // a request may read several prompts
              if (graph === 'prefill' && firstId !== undefined && firstId !== 100 && prefilled.at(-1) !== firstId - 3) {
                prefilled.push(firstId - 3)
              }
              commands.forEach(({ cancelAfter }, id) => {
                if (cancelAfter === calls) harness.batcher.cancel(id)
              })
              if (calls++ === failAt) throw new Error('injected')
              submit()
            })
          )
          while (submitted.size < commands.length) {
            submit()
            calls = harness.batcher.counts().queuedCost === 0 ? calls + 1 : calls
            await new Promise(resolve => setImmediate(resolve))
          }
          await harness.all([...submitted])
          for (const id of submitted) {
            const ends = harness.endsOf(id)
            if (ends.length !== 1) throw new Error(`request ${id} ended ${ends.length} times`)
            const [end] = ends
            if (end?.kind === 'error' && failAt < 0) throw new Error(`request ${id}: ${end.detail}`)
          }
          const { waiting, running, slotsInUse, queuedCost } = harness.batcher.counts()
          if (waiting + running + slotsInUse + queuedCost !== 0) throw new Error('something is left')
          // those of few rows pass wide ones; nothing overtakes its like
          const isNarrow = (id: number) => {
            const work = commands[id]?.work
            return work !== undefined && 'segments' in work && rowsOf(work) <= mostNarrowRows
          }
          for (const isNarrowKind of [true, false]) {
            const ofKind = (ids: number[]) => ids.filter(id => isNarrow(id) === isNarrowKind)
            const inOrder = ofKind([...submitted].filter(id => prefilled.includes(id)))
            if (inOrder.join() !== ofKind(prefilled).join()) {
              throw new Error(`prefilled ${prefilled.join()} instead of ${inOrder.join()}`)
            }
          }
        }
      ),
      { numRuns: 150 }
    )
  }
)

t.test('a request has the same result alone and among others', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyWork, { minLength: 2, maxLength: 6 }), async works => {
      const harness = createHarness()
      works.forEach((work, id) => harness.batcher.submit(id, work))
      const ends = await harness.all(works.map((_, id) => id))
      for (const [id, work] of works.entries()) {
        const end = ends[id] as Extract<FromEngine, { kind: 'done' }>
        if (JSON.stringify(end.result) !== JSON.stringify(await runAlone(work))) {
          throw new Error(`request ${id} differs`)
        }
      }
    }),
    { numRuns: 60 }
  )
  t.pass()
})

/** The work with a first prompt id that tells whose it is. */
function tagged (work: Work, id: number): Work {
  if (!('segments' in work)) return work
  const [first, ...rest] = work.segments
  return {
    ...work,
    segments: [first?.kind === 'ids' ? { kind: 'ids', ids: [3 + id, ...first.ids.slice(1)] } : first!, ...rest]
  }
}

t.test('bulk work yields: what is not bulk overtakes it at every station', async t => {
  const harness = createHarness()
  const { batcher, all, messages } = harness
  const ids = Array.from({ length: 12 }, (_, i) => i + 1)
  for (const id of ids) batcher.submit(id, { task: 'tokenize', picture: picture() }, { isBulk: id <= 8 })
  await all(ids)
  const ended = messages.flatMap(message => (message.kind === 'done' ? [message.id] : []))
  t.strictSame(ended, [9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8])
})

t.test('a text is written before bulk looks at pictures, but bulk goes on beside texts without end', async t => {
  for (const [maxTokens, picturesBefore] of [[8, 0], [40, 4]] as const) {
    const { batcher, all, messages } = createHarness()
    const ids = Array.from({ length: 12 }, (_, i) => i + 1)
    for (const id of ids) batcher.submit(id, { task: 'tokenize', picture: picture() }, { isBulk: true })
    batcher.submit(13, textWork({ sampling: { ...textWork().sampling, maxTokens, minTokens: maxTokens } }))
    await all([...ids, 13])
    const ended = messages.flatMap(message => (message.kind === 'done' ? [message.id] : []))
    t.equal(ended.indexOf(13), picturesBefore, `${maxTokens} tokens: ${ended}`)
  }
})

t.test('bulk has one unit after 32 of others, also at a station where these always wait', async t => {
  const look: Work = { task: 'tokenize', picture: picture() }
  const read = textWork({ sampling: { ...sampling, maxTokens: 1 } })
  const paint: Work = { task: 'detokenize', codes: [1], painting: { ...painting, steps: 1 } }
  const longer = { ...read, segments: [{ kind: 'ids' as const, ids: new Array<number>(12).fill(5) }] } // shares no unit
  for (const [station, work, bulk, units] of [
    ['encode', look, look, 1],
    ['prefill', read, longer, 1],
    ['paint', paint, paint, 2]
  ] as const) {
    let calls = 0
    const isDone = () => harness.endsOf(1).length > 0
    const harness = createHarness(
      fakeGraphs(() => {
        calls++
        if (!isDone() && calls < 200) ask(8)
      }),
      { queueLimit: 2000, queueCost: 1e9 }
    )
    let lastId = 1
    const ask = (count: number) => {
      for (let i = 0; i < count; i++) harness.batcher.submit(++lastId, work)
    }
    harness.batcher.submit(1, bulk, { isBulk: true })
    ask(8)
    await harness.all([1])
    t.ok(calls > 32 * units, `${station} yields: done after ${calls} units`)
    t.ok(calls <= 33 * units + 1, `${station} goes on: done after ${calls} units`)
    await harness.batcher.close()
  }
})

t.test('requests that are cancelled while they wait do not push the next of their client back', async t => {
  const { batcher, all, messages } = createHarness()
  const read: Work = { task: 'tokenize', picture: picture() }
  const gone = Array.from({ length: 12 }, (_, i) => 100 + i)
  const others = Array.from({ length: 16 }, (_, i) => 200 + i)
  for (const id of gone) batcher.submit(id, read, { client: 'hasty' })
  for (const id of gone) batcher.cancel(id)
  for (const id of others) batcher.submit(id, read, { client: 'other' })
  await all(gone)
  batcher.submit(1, read, { client: 'hasty' })
  await all([1, ...others])
  const ended = messages.flatMap(message => (message.kind === 'done' ? [message.id] : []))
  t.ok(ended.indexOf(1) < 9, `${ended}`)
})
