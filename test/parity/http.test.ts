/** An imported package behind HTTP, in a real engine process, against what the official modules recorded. */
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { createTextCodec } from '../../src/codecs/text.ts'
import { readConfig } from '../../src/config/config.ts'
import { createMetrics } from '../../src/metrics.ts'
import { readTokenizer } from '../../src/package/package.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import {
  floatsOf,
  folder,
  idsOf,
  keepMaskOf,
  manifest,
  meta,
  modelsFolder,
  ofPicture,
  pngOf,
  relativeError,
  row,
  untilEnd
} from './fixtures/recorded.ts'

const pictures = [0, 1, 2]
const files = await Promise.all(pictures.map(pngOf))
const recordedDecision = { selection: 'threshold', keep_threshold: 0.5 }

// Recorded ids through the checkpoint's own sentencepiece model, where the recording holds ids only.
const greedyCaptions = [
  '\ufffd\ufffdt\ufffd`:\ufffd\ufffd street\ufffdree',
  'Q\ufffdY snowc carns laptop\ufffd\ufffd\u01dc\ufffd street\ufffdnwo\x0c\ufffdHdedQ\ufffd garden coffee\x19a ' +
    'birdIy\ufffduicereetD st',
  'ld th\ufffd\ufffdu\ufffd\ufffdldlue'
]
const greedyAnswers = ['c\ufffdJ d coffee,\ufffdcn\ufffd', 'cacn\ufffdtD st\ufffd street', '\ufffd\ufffdldlue']
// Caption 0 of the pinned library's beam search; the recorded text is that of a later version.
const beamCaptions = [
  'eople\ufffdttingD bird:\ufffd au\ufffdBb\ufffd\ufffdtting stands\ufffd street\ufffdj6ield\ufffd=h ' +
    'bird:\ufffd\ufffd street looks\ufffdhild m',
  ...meta.caption_raw_decoded.slice(1)
]

t.test('the tokenizer', async t => {
  const { encode, decode } = createTextCodec(await readTokenizer(folder, manifest))
  for (const { text, ids } of meta.tokenizer_cases) t.strictSame(encode(text), ids, JSON.stringify(text))
  for (const [b, question] of meta.vqa_questions.entries()) {
    const padded = row(idsOf('vqa.prompt_ids'), b)
    t.strictSame(encode(`Question: ${question} Answer:`), padded.slice(padded.findIndex(id => id !== manifest.ids.end)))
  }
  for (const b of pictures) {
    t.equal(decode(untilEnd(row(idsOf('caption.beam'), b))).trim(), meta.caption_raw_decoded[b])
    t.equal(decode(untilEnd(row(idsOf('vqa.beam'), b))).trim(), meta.vqa_raw_decoded[b])
  }
})

t.test('the server', async t => {
  const app = await startApp(t)

  async function send (url: string, b: number, options: Record<string, unknown> = {}) {
    const response = await app.inject({
      method: 'POST',
      url,
      payload: { image: files[b]!.toString('base64'), ...recordedDecision, ...options }
    })
    t.equal(response.statusCode, 200, response.body)
    return response.json()
  }

  t.test('tokenizes to the recorded codes', async t => {
    for (const b of pictures) {
      const answer = await send('/tokenize', b)
      t.strictSame(answer.visual_tokens, ofPicture(idsOf('quantizer.codes'), b))
      t.strictSame(answer.keep_mask, keepMaskOf(b))
      t.ok(relativeError(answer.keep_probabilities, row(floatsOf('predictor.keep_prob'), b)) < 1e-4)
    }
  })

  t.test('captions as recorded, by greedy choice and by beams', async t => {
    for (const b of pictures) {
      const greedy = await send('/caption', b, { num_beams: 1, postprocess: 'none' })
      t.equal(merged(greedy.captions[0].text), merged(greedyCaptions[b]!))
      t.equal(greedy.usage.completion_tokens, untilEnd(row(idsOf('caption.greedy'), b)).length)
      const {
        captions: [best]
      } = await send('/caption', b, { postprocess: 'none' })
      t.equal(merged(best.text), merged(beamCaptions[b]!))
    }
  })

  t.test('answers as recorded', async t => {
    for (const [b, question] of meta.vqa_questions.entries()) {
      t.equal(
        (await send('/vqa', b, { question, num_beams: 1, postprocess: 'none' })).answers[0].text,
        greedyAnswers[b]
      )
      t.equal(
        (await send('/vqa', b, { question, num_beams: 1, postprocess: 'short_answer' })).answers[0].text,
        greedyAnswers[b]!.split(',')[0]
      )
      const {
        answers: [best]
      } = await send('/vqa', b, { question, postprocess: 'none' })
      t.equal(best.text, meta.vqa_raw_decoded[b])
      t.ok(relativeError([best.log_probability], row(floatsOf('vqa.beam_score'), b)) < 1e-4)
      t.equal(
        (await send('/vqa', b, { question, postprocess: 'short_answer' })).answers[0].text,
        meta.vqa_answers_before_lemmatiser[b]
      )
      const {
        answers: [lemmas]
      } = await send('/vqa', b, { question })
      t.match(lemmas.text, /^\S+( \S+)*$/, 'lemmas, a space between them')
    }
  })

  t.test('draws patches by default, and the same seed gives the same bytes', async t => {
    const draw = async (url: string, seed: number, options = {}) =>
      (await app.inject({ method: 'POST', url, payload: { image: files[0]!.toString('base64'), seed, ...options } }))
        .body
    for (const [url, options] of [
      ['/tokenize', {}],
      ['/caption', {}],
      ['/vqa', { question: 'Is there a cat?' }]
    ] as const) {
      const [first, again, other] = [
        await draw(url, 1, options),
        await draw(url, 1, options),
        await draw(url, 2, options)
      ]
      t.equal(first, again, url)
      t.not(first.replace('"seed":1', ''), other.replace('"seed":2', ''), url)
    }
    const drawn = JSON.parse(await draw('/tokenize', 1))
    t.equal(JSON.parse(await draw('/caption', 1)).usage.visual_tokens, drawn.count, 'the same draw on every route')
  })

  t.test('refuses more beams than it runs sequences', async t => {
    const response = await app.inject({
      method: 'POST',
      url: '/caption',
      payload: { image: files[0]!.toString('base64'), num_beams: 6 }
    })
    t.match(response.json(), { status: 413, code: 'too_large', detail: /needs 6 sequences/ })
  })
})

/** Of bytes that are no character, sentencepiece marks each, ours each broken character: one mark for a run of them. */
const merged = (text: string) => text.replace(/\ufffd+/g, '\ufffd')

/** The app with as many slots as the widest default search has beams. */
async function startApp (t: Test) {
  const config = readConfig(
    { LAVIT_MODELS: modelsFolder, LAVIT_MODEL: manifest.name, LAVIT_SLOTS: '5', LAVIT_THREADS: '1' },
    join(import.meta.dirname, '..')
  )
  const metrics = createMetrics()
  const registry = createRegistry({ ...config, log: pino({ level: 'silent' }), onCounts: metrics.addEngineCounts })
  const app = await buildApp({ config, registry, metrics, version: '0.1.0' })
  t.teardown(() => app.close())
  await registry.load(config.defaultModel)
  return app
}
