// covers: src/engine/prompt.ts src/engine/flows/detokenize.ts src/engine/flows/draw.ts src/engine/flows/flow.ts
// covers: src/engine/flows/generate.ts src/engine/flows/start.ts src/engine/flows/text.ts
// covers: src/engine/flows/tokenize.ts src/pipe/work.ts
/** Each flow of src/engine/flows from work to result, on the model without weights. */
import t from 'tap'
import { fakeGraphs } from './fixtures/fake-model.ts'
import { createHarness } from './fixtures/harness.ts'
import { generateWork, painting, picture, sampling, textWork } from './fixtures/works.ts'

t.test('each task has its result', async t => {
  t.test('tokenize', async t => {
    const result = await createHarness().run({ task: 'tokenize', picture: picture() })
    t.strictSame(result.keepMask, [false, true, false, true])
    t.strictSame(result.codes, [200 % 18, 250 % 18])
    t.equal(result.keepProbabilities.length, 4)
  })

  t.test('text, with usage', async t => {
    const segments = [
      { kind: 'ids' as const, ids: [100] },
      { kind: 'features' as const, picture: picture() },
      { kind: 'ids' as const, ids: [101, 7, 8] }
    ]
    const result = await createHarness().run(textWork({ segments, n: 2 }))
    t.equal(result.sequences.length, 2)
    t.match(result, { visualTokens: 2, promptTokens: 2 })
    for (const { ids, finishReason } of result.sequences) {
      t.ok(ids.every(id => id < 100 && id !== 2))
      t.ok(finishReason === 'stop' || ids.length === sampling.maxTokens)
    }
  })

  t.test('beams: n best, best first', async t => {
    const { sequences } = await createHarness().run(textWork({ numBeams: 4, n: 3, lengthPenalty: 0 }))
    t.equal(sequences.length, 3)
    const scores = sequences.map(({ score }) => score!)
    t.strictSame(
      scores,
      scores.toSorted((a, b) => b - a)
    )
  })

  t.test('generate: a picture for each sample, and sample i is what seed + i draws alone', async t => {
    const { pictures } = await createHarness().run(generateWork({ n: 2 }))
    t.strictSame(
      pictures.map(({ seed, width, height, pixels }) => [seed, width, height, pixels.length]),
      [
        [1, 4, 4, 48],
        [2, 4, 4, 48]
      ]
    )
    const second = await createHarness().run(
      generateWork({ sampling: { ...sampling, maxTokens: 4, seed: 2 }, painting: { ...painting, seed: 2 } })
    )
    t.strictSame(second.pictures[0], pictures[1])
    t.ok(pictures.every(({ codes }) => codes.length >= 1 && codes.length <= 4))
  })

  t.test('every text and picture comes again alone by its seed, patches drawn at random included', async t => {
    const drawn = (seed: number) => ({
      ...picture([120, 130, 140, 150]),
      selection: { rule: 'sample' as const, keepThreshold: 0, seed }
    })
    for (const seed of [1, 77, 4_294_967_294]) {
      const generate = (seed: number, n: number) =>
        createHarness().run(
          generateWork({
            segments: [
              { kind: 'codes', picture: drawn(seed) },
              { kind: 'ids', ids: [5, 100] },
              { kind: 'codes', picture: drawn((seed + 1) % 2 ** 32) },
              { kind: 'ids', ids: [100] }
            ],
            sampling: { ...sampling, maxTokens: 4, seed },
            painting: { ...painting, seed },
            guidanceScale: n === 2 ? 2 : 1,
            n
          })
        )
      const { pictures } = await generate(seed, 4)
      t.strictSame(
        pictures.map(one => one.seed),
        [0, 1, 2, 3].map(i => (seed + i) % 2 ** 32)
      )
      for (const one of pictures) t.strictSame((await generate(one.seed, 1)).pictures, [one])
      t.ok(new Set(pictures.map(({ codes }) => codes.join())).size > 1)

      const write = (seed: number, n: number) =>
        createHarness().run(
          textWork({
            segments: [
              { kind: 'ids', ids: [100] },
              { kind: 'features', picture: drawn(seed) },
              { kind: 'ids', ids: [101, 7] }
            ],
            sampling: { ...sampling, seed },
            n
          })
        )
      const { sequences } = await write(seed, 4)
      t.strictSame(sequences.map(one => one.seed!).sort(), [0, 1, 2, 3].map(i => (seed + i) % 2 ** 32).sort())
      for (const one of sequences) t.strictSame((await write(one.seed!, 1)).sequences, [one])
    }
    const apart = await createHarness().run(
      generateWork({
        segments: [
          { kind: 'codes', picture: drawn(5) },
          { kind: 'ids', ids: [100] }
        ],
        n: 2
      })
    )
    t.equal(apart.pictures.length, 2, 'with guidance, too')
  })

  t.test("a log probability is the model's own, with beams and without", async t => {
    const work = (numBeams: number, repetitionPenalty: number) =>
      textWork({ numBeams, sampling: { ...sampling, temperature: 0, repetitionPenalty } })
    for (const penalty of [1, 1.7]) {
      const {
        sequences: [found]
      } = await createHarness().run(work(4, penalty))
      let sum = 0
      const prompt = [5, 6, 7]
      for (const id of [...found!.ids, ...(found!.finishReason === 'stop' ? [2] : [])]) {
        sum += await logProbabilityOf(prompt, id)
        prompt.push(id)
      }
      t.ok(Math.abs(found!.logProbability - sum) < 1e-4, `${found!.logProbability} ${sum}`)
      if (penalty === 1) {
        t.ok(Math.abs(found!.score! - sum / (found!.ids.length + 1)) < 1e-4, 'the score is its share of a token')
      }
    }
    const {
      sequences: [greedy]
    } = await createHarness().run(work(1, 1))
    t.strictSame([greedy!.score, greedy!.seed], [undefined, undefined])
  })

  t.test('detokenize', async t => {
    const result = await createHarness().run({
      task: 'detokenize',
      codes: [3, 9],
      painting: { ...painting, decoderGuidanceScale: 2 }
    })
    t.match(result, { pictures: [{ codes: [3, 9], seed: 1 }], visualTokens: 0, promptTokens: 0 })
  })
})

/** What the fake model itself says of a token after a prompt. */
async function logProbabilityOf (prompt: number[], id: number): Promise<number> {
  const { languageModel, heads } = fakeGraphs()
  const nothing = {
    rows: 1,
    places: 0,
    bias: new Float32Array(),
    keys: [new Float32Array(), new Float32Array()],
    values: [new Float32Array(), new Float32Array()]
  }
  const { states } = await languageModel.run(
    { count: prompt.length, tokenIds: prompt, positions: prompt.map((_, i) => i) },
    nothing
  )
  const [logProbabilities] = await heads.words([states])
  return logProbabilities![id]!
}

t.test('a model that judges pictures tells how familiar they are, one that does not tells nothing', async t => {
  const { visualTokenizer, ...graphs } = fakeGraphs()
  const encode = async (pixels: Uint8Array[]) =>
    (await visualTokenizer.encode(pixels)).map(one => ({ ...one, familiarity: (one.features[0] ?? NaN) / 100 }))
  const judging = () => createHarness({ ...graphs, visualTokenizer: { ...visualTokenizer, encode } })
  const seen = (first: number) => ({ kind: 'features' as const, picture: picture([first, 200, 30, 250]) })
  const text = (...segments: ReturnType<typeof seen>[]) =>
    textWork({ segments: [{ kind: 'ids', ids: [100] }, ...segments] })
  t.equal((await judging().run({ task: 'tokenize', picture: picture([25, 200, 30, 250]) })).familiarity, 0.25)
  for (const numBeams of [1, 2]) t.equal((await judging().run({ ...text(seen(25)), numBeams })).familiarity, 0.25)
  t.equal((await judging().run(text(seen(75), seen(50)))).familiarity, 0.5, 'of the least familiar picture')
  t.notOk('familiarity' in await judging().run(textWork()), 'there is no picture')
  t.notOk('familiarity' in await createHarness().run({ task: 'tokenize', picture: picture() }))
  t.notOk('familiarity' in await createHarness().run(text(seen(25))))
})

t.test('parts are told in order, and add up to the result', async t => {
  const text = await createHarness().follow(textWork({ n: 2 }))
  const drawn = [0, 1].map(sample =>
    text.parts.flatMap(part => (part.kind === 'token' && part.sample === sample ? [part.tokenId] : []))
  )
  t.strictSame(drawn.map(ids => ids.join()).sort(), text.result.sequences.map(({ ids }) => ids.join()).sort())

  const painted = await createHarness().follow(generateWork({ n: 2 }))
  const pictures = painted.parts.flatMap(part => (part.kind === 'picture' ? [part] : []))
  for (const { sample, picture } of pictures) t.strictSame(picture, painted.result.pictures[sample])
  t.equal(pictures.length, 2)
})
