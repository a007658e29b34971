// covers: src/graphs/sizes.ts
import t from 'tap'
import type { FromEngine } from '../../src/pipe/messages.ts'
import type { PaintResult, TextResult, TokenizeResult, Work } from '../../src/pipe/work.ts'
import { openEngine, openGraph } from '../../src/engine/open-engine.ts'
import { createLanguageModel } from '../../src/graphs/language-model.ts'
import type { Manifest } from '../../src/package/manifest.ts'
import { readManifest } from '../../src/package/package.ts'

const folder = new URL('../../models/lavit-mini', import.meta.url).pathname
const manifest = readManifest(folder)
const {
  ids,
  image: { size, grid },
  pixel_decoder: decoder
} = manifest
const options = {
  kind: 'open',
  folder,
  manifest,
  device: 'cpu',
  threads: 1,
  slots: 8,
  queueLimit: 64,
  queueCost: 1e6
} as const

t.test('the embedded model', async t => {
  const ends = new Map<number, (message: FromEngine) => void>()
  const engine = await openEngine(options, message => {
    if ('id' in message && message.kind !== 'placed') ends.get(message.id)!(message)
  })
  t.teardown(() => engine.close())
  let lastId = 0

  async function run<R> (work: Work): Promise<R> {
    const id = ++lastId
    const end = await new Promise<FromEngine>(resolve => {
      ends.set(id, resolve)
      engine.submit(id, work)
    })
    if (end.kind !== 'done') throw new Error(JSON.stringify(end))
    return end.result as R
  }

  t.test('has a code below the codebook size for every kept patch', async t => {
    const { codes, keepMask, keepProbabilities } = await run<TokenizeResult>({
      task: 'tokenize',
      picture: pictureOf(1)
    })
    t.equal(codes.length, keepMask.filter(Boolean).length)
    t.equal(keepMask.length, grid.rows * grid.columns)
    t.ok(codes.every(code => code >= 0 && code < manifest.visual_tokenizer.codebook_size))
    t.ok(keepProbabilities.every(p => p >= 0 && p <= 1))
  })

  t.test('draws text ids for text and codes for pictures', async t => {
    const { sequences } = await run<TextResult>(captionOf(2))
    t.ok(sequences.every(({ ids: drawn }) => drawn.length > 0 && drawn.every(id => id < ids.image_start)))
    const { pictures } = await run<PaintResult>(generateOf(3))
    t.equal(pictures.length, 2)
    for (const { codes, pixels, width, height } of pictures) {
      t.ok(codes.length >= 1 && codes.every(code => code < manifest.visual_tokenizer.codebook_size))
      t.equal(pixels.length, width * height * 3)
    }
  })

  t.test('gives the same bytes alone and among others', async t => {
    const works = [2, 3].flatMap(i => [
      { task: 'tokenize' as const, picture: pictureOf(i) },
      captionOf(i),
      generateOf(i)
    ])
    const alone: unknown[] = []
    for (const work of works) alone.push(await run(work))
    const together = await Promise.all(works.map(work => run(work)))
    for (const [i, { task }] of works.entries()) t.ok(JSON.stringify(together[i]) === JSON.stringify(alone[i]), task)
  })
})

t.test('a manifest that says another number of layers than its graph is refused', async t => {
  const wrong = { ...manifest, language_model: { ...manifest.language_model, layers: 99 } }
  await t.rejects(openEngine({ ...options, manifest: wrong }, () => {}), { message: /6 layers, the manifest says 99/ })
})

t.test('a manifest that says other sizes than its graphs is refused with the field and both', async t => {
  const { language_model: language, visual_tokenizer: tokenizer, image } = manifest
  const cases: [wrong: Partial<Manifest>, message: string][] = [
    [
      { language_model: { ...language, kv_heads: 2 } },
      'the graph language_model gives new_keys.0 of 4, by the manifest they are 2 (language_model.kv_heads)'
    ],
    [
      { language_model: { ...language, head_dim: 64 } },
      'the graph language_model gives new_keys.0 of 48, by the manifest they are 64 (language_model.head_dim)'
    ],
    [
      { language_model: { ...language, hidden_size: 96 } },
      'the graph merger_embeddings gives embeddings of 192, by the manifest they are 96 (language_model.hidden_size)'
    ],
    [
      { visual_tokenizer: { ...tokenizer, feature_dim: 96 } },
      'the graph vision gives features of 192, by the manifest they are 96 (visual_tokenizer.feature_dim)'
    ],
    [
      { image: { ...image, grid: { rows: 4, columns: 8 } } },
      'the graph vision gives features of 64, by the manifest they are 32 (image.grid)'
    ]
  ]
  for (const [wrong, message] of cases) {
    await t.rejects(openEngine({ ...options, manifest: { ...manifest, ...wrong } }, () => {}), { message }, message)
  }
  const session = await openGraph('language_model', options)
  t.teardown(() => session.release())
  t.throws(() => createLanguageModel(session, { language_model: { ...language, hidden_size: 96 } }), {
    message: 'the graph language_model gives states of 192, by the manifest they are 96 (language_model.hidden_size)'
  })
})

t.test('a manifest that says other ids than its graphs score is refused', async t => {
  const { language_model: language, visual_tokenizer: tokenizer } = manifest
  const cases: [what: string, wrong: Partial<Manifest>, message: RegExp][] = [
    ...[1, 128].map((candidates): (typeof cases)[number] => [
      `${candidates} candidates`,
      { language_model: { ...language, candidates } },
      new RegExp(`^the graph visual_head gives ids of 64, .* they are ${candidates} \\(language_model.candidates\\)$`)
    ]),
    [
      'fewer codes',
      {
        language_model: { ...language, vocabulary_size: ids.visual_offset + 100 },
        visual_tokenizer: { ...tokenizer, codebook_size: 100 }
      },
      /^the graph visual_head gives log_probabilities of 65541, by the manifest they are 105$/
    ],
    [
      'fewer words',
      { ids: { ...ids, image_start: ids.image_start - 1 } },
      /^the graph text_head gives log_probabilities of 3072, by the manifest they are 3071$/
    ]
  ]
  for (const [what, wrong, message] of cases) {
    await t.rejects(openEngine({ ...options, manifest: { ...manifest, ...wrong } }, () => {}), { message }, what)
  }
})

t.test('a graph that is none is refused', async t => {
  const broken = { ...manifest, graphs: { ...manifest.graphs, vision: manifest.tokenizer } }
  await t.rejects(
    openEngine({ ...options, manifest: broken }, () => {}),
    { graph: 'vision', message: 'the graph vision does not open' }
  )
})

function pictureOf (seed: number) {
  const pixels = Uint8Array.from({ length: 3 * size * size }, (_, i) => (i * (7919 + seed)) % 251)
  return { pixels, selection: { rule: 'sample' as const, keepThreshold: 0.5, seed } }
}

function captionOf (seed: number): Work {
  const sampling = { maxTokens: 5, minTokens: 2, temperature: 1, topP: 0.9, topK: 0, repetitionPenalty: 1, seed }
  const segments = [
    { kind: 'ids' as const, ids: [ids.image_start] },
    { kind: 'features' as const, picture: pictureOf(seed) },
    { kind: 'ids' as const, ids: [ids.image_end] }
  ]
  return {
    task: 'text',
    segments,
    sampling,
    numBeams: seed % 2 === 0 ? 1 : 3,
    lengthPenalty: 1,
    earlyStopping: false,
    n: 2
  }
}

function generateOf (seed: number): Work {
  const [width, height] = decoder!.sizes[0]!.split('x').map(Number) as [number, number]
  const sampling = { maxTokens: 5, minTokens: 4, temperature: 1, topP: 1, topK: 40, repetitionPenalty: 1, seed }
  const painting = { width, height, steps: seed - 1, decoderGuidanceScale: seed, seed }
  const segments = [
    { kind: 'ids' as const, ids: [20 + seed, 31] },
    { kind: 'codes' as const, picture: pictureOf(seed) },
    { kind: 'ids' as const, ids: [ids.image_start] }
  ]
  return { task: 'generate', segments, sampling, guidanceScale: 1.5, painting, n: 2 }
}
