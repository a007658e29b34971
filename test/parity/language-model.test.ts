// covers: src/graphs/heads.ts src/graphs/language-model.ts
/**
 * Prompts to logits, and logits to text and codes, against the official model and the rules of the library that it
 * pins.
 */
import t, { type Test } from 'tap'
import { createBatcher } from '../../src/engine/batcher.ts'
import { storeShapeOf } from '../../src/engine/device.ts'
import { createKvCache } from '../../src/engine/kv-cache.ts'
import type { FromEngine } from '../../src/pipe/messages.ts'
import type { PaintResult, Segment, TextResult, Work } from '../../src/pipe/work.ts'
import { candidatesOf, guide, processScores } from '../../src/engine/drawing/sampler.ts'
import { createHeads } from '../../src/graphs/heads.ts'
import { createLanguageModel, type LanguageModel } from '../../src/graphs/language-model.ts'
import { createMemoryStore } from '../../src/graphs/memory-store.ts'
import { createVisualTokenizer } from '../../src/graphs/visual-tokenizer.ts'
import { fakeGraphs } from '../engine/fixtures/fake-model.ts'
import {
  floatsOf,
  idsOf,
  manifest,
  ofPicture,
  open,
  planesOf,
  relativeError,
  row,
  untilEnd
} from './fixtures/recorded.ts'

const tolerance = 1e-4
const pictures = [0, 1, 2]
const { ids, language_model: shape } = manifest
const sampling = { maxTokens: 36, minTokens: 8, temperature: 0, topP: 1, topK: 0, repetitionPenalty: 1, seed: 0 }
const selection = { rule: 'threshold' as const, keepThreshold: 0.5, seed: 0 }

const sessions = {
  vision: await open('vision'),
  tokenPredictor: await open('token_predictor'),
  mergerCodes: await open('merger_codes'),
  mergerEmbeddings: await open('merger_embeddings'),
  languageModel: await open('language_model'),
  text: await open('text_head'),
  visual: await open('visual_head')
}
const languageModel = createLanguageModel(sessions.languageModel, manifest)
const heads = createHeads(sessions, manifest)
t.teardown(() => Promise.all(Object.values(sessions).map(session => session.release())))

t.test('logits, up to what normalises them', async t => {
  const logitIds = idsOf('logit_ids')
  const free = (logits: ArrayLike<number>) => Array.from(logits, logit => logit - logits[0]!)
  const recordedOf = (logProbabilities: Float32Array) => free(logitIds.map(id => logProbabilities[id]!))

  t.test('of every place of a caption, token by token and in chunks', async t => {
    for (const b of pictures) {
      const prompt = pictureOf(b)
      const padding = 36 - prompt.length
      const expected = row(floatsOf('caption.logits'), b) // left padded
      const at = (place: number) =>
        free(expected.slice((padding + place) * logitIds.length, (padding + place + 1) * logitIds.length))
      for (const chunk of [1, 7, 64]) {
        for (const { place, logProbabilities } of await read(languageModel, prompt, chunk)) {
          t.ok(
            relativeError(recordedOf(logProbabilities), at(place)) < tolerance,
            `picture ${b}, place ${place}, chunks of ${chunk}`
          )
        }
      }
    }
  })

  t.test('after a prompt and after a question', async t => {
    const prompts = [
      ['caption_prompt.prompt_ids', 'caption_prompt.last_logits'],
      ['vqa.prompt_ids', 'vqa.last_logits']
    ] as const
    for (const [promptName, logitsName] of prompts) {
      for (const b of pictures) {
        const prompt = [...pictureOf(b), ...unpadded(row(idsOf(promptName), b))]
        const { logProbabilities } = (await read(languageModel, prompt, 64)).at(-1)!
        t.ok(
          relativeError(recordedOf(logProbabilities), free(row(floatsOf(logitsName), b))) < tolerance,
          `${logitsName} of picture ${b}`
        )
      }
    }
  })
})

t.test('texts', async t => {
  const run = startEngine(t)

  t.test('greedy captions and answers', async t => {
    for (const b of pictures) {
      const [caption] = (await run<TextResult>(textWork(b, []))).sequences
      t.strictSame(caption!.ids, untilEnd(row(idsOf('caption.greedy'), b)), `caption ${b}`)
      const [answer] = (
        await run<TextResult>(
          textWork(b, unpadded(row(idsOf('vqa.prompt_ids'), b)), {
            sampling: { ...sampling, maxTokens: 10, minTokens: 2 }
          })
        )
      ).sequences
      t.strictSame(answer!.ids, untilEnd(row(idsOf('vqa.greedy'), b)), `answer ${b}`)
    }
  })

  t.test('beams, all pictures at once', async t => {
    const { caption, vqa } = manifest.tasks
    const beams = ({
      num_beams: numBeams,
      length_penalty: lengthPenalty,
      early_stopping: earlyStopping,
      max_tokens: maxTokens,
      min_tokens: minTokens
    }: typeof caption) => ({ numBeams, lengthPenalty, earlyStopping, sampling: { ...sampling, maxTokens, minTokens } })
    const captions = pictures.map(b => run<TextResult>(textWork(b, [], beams(caption))))
    const answers = pictures.map(b =>
      run<TextResult>(textWork(b, unpadded(row(idsOf('vqa.prompt_ids'), b)), beams(vqa)))
    )
    for (const b of pictures) {
      const [best] = (await captions[b]!).sequences
      t.strictSame(best!.ids, untilEnd(row(idsOf('caption.beam_old'), b)), `caption ${b}`)
      t.ok(
        relativeError([best!.logProbability / (best!.ids.length + 1)], row(floatsOf('caption.beam_old_score'), b)) <
          tolerance,
        `score of caption ${b}`
      )
      const [answer] = (await answers[b]!).sequences
      t.strictSame(answer!.ids, untilEnd(row(idsOf('vqa.beam'), b)), `answer ${b}`)
      t.ok(
        relativeError([answer!.logProbability], row(floatsOf('vqa.beam_score'), b)) < tolerance,
        `score of answer ${b}`
      )
    }
  })
})

t.test('codes', async t => {
  const keptIds = idsOf('t2i.kept_ids')
  const rules = {
    temperature: 1,
    topK: 0,
    topP: 1,
    repetitionPenalty: 1,
    minTokens: 6,
    end: ids.image_end,
    suppressed: { from: 3, to: ids.image_start }
  }

  t.test('both branches and their guidance', async t => {
    for (const b of pictures) {
      const drawn = row(idsOf('t2i.greedy'), b).slice(0, 3)
      const prompt = unpadded(row(idsOf('t2i.prompt_ids'), b))
      const stepsOf = async (prompt: number[]) =>
        (await read(languageModel, [...prompt, ...drawn], 1))
          .slice(prompt.length - 1)
          .map(({ logProbabilities }) => logProbabilities)
      const conditional = await stepsOf(prompt)
      const unconditional = await stepsOf([ids.image_start])
      const guided = conditional.map((scores, step) => guide(scores, unconditional[step]!, 4))
      const recorded = (name: string) => row(floatsOf(name), b)
      const atKept = (steps: Float32Array[]) => steps.flatMap(scores => keptIds.map(id => scores[id]!))
      t.ok(relativeError(atKept(conditional), recorded('t2i.cond_logprobs')) < tolerance, `conditional ${b}`)
      t.ok(relativeError(atKept(unconditional), recorded('t2i.uncond_logprobs')) < tolerance, `unconditional ${b}`)
      t.ok(relativeError(atKept(guided), recorded('t2i.guided')) < tolerance, `guided ${b}`)

      const scores = Float64Array.from(guided[0]!)
      processScores(scores, [], rules)
      for (const [topK, topP, name] of [
        [50, 1, 't2i.sample_probs.topk50_topp1.0'],
        [20, 0.9, 't2i.sample_probs.topk20_topp0.9']
      ] as const) {
        const possible = candidatesOf(scores, { temperature: 1, topK, topP })
        const total = possible.reduce((sum, { weight }) => sum + weight, 0)
        const probabilities = keptIds.map(id => (possible.find(each => each.id === id)?.weight ?? 0) / total)
        t.ok(relativeError(probabilities, recorded(name)) < tolerance, `${name} ${b}`)
        t.strictSame(
          probabilities.map(p => p > 0),
          Array.from(recorded(name), p => p > 0),
          `the ids of ${name} ${b}`
        )
      }
    }
  })

  t.test('greedy codes after words, and after a picture and words', async t => {
    const run = startEngine(t)
    const codesOf = (drawn: number[]) =>
      (drawn.includes(ids.image_end) ? drawn.slice(0, drawn.indexOf(ids.image_end)) : drawn)
        .filter(id => id >= ids.visual_offset)
        .map(id => id - ids.visual_offset)
    const words = pictures.map(b =>
      run<PaintResult>(generateWork([{ kind: 'ids', ids: unpadded(row(idsOf('t2i.prompt_ids'), b)) }], 4, 40))
    )
    const prompt = idsOf('mm.prompt_ids').filter(id => id < ids.visual_offset)
    const mixed = await run<PaintResult>(
      generateWork(
        [
          { kind: 'codes', picture: { pixels: planesOf(0), selection } },
          { kind: 'ids', ids: prompt }
        ],
        5,
        32
      )
    )
    for (const b of pictures) {
      t.strictSame((await words[b]!).pictures[0]!.codes, codesOf(row(idsOf('t2i.greedy'), b)), `prompt ${b}`)
    }
    t.strictSame(mixed.pictures[0]!.codes, codesOf(idsOf('mm.greedy')), 'mixed prompt')
    t.equal(mixed.visualTokens, 24)
  })
})

/** A place of a prompt: an id, or an embedding. */
type Place = number | Float32Array

/** Start, kept rows and end of recorded picture `b`. */
function pictureOf (b: number): Place[] {
  const kept = ofPicture(floatsOf('understanding.kept'), b, shape.hidden_size)
  const rows = Array.from({ length: kept.length / shape.hidden_size }, (_, i) =>
    kept.slice(i * shape.hidden_size, (i + 1) * shape.hidden_size)
  )
  return [ids.image_start, ...rows, ids.image_end]
}

/** Without the end ids that pad on the left. */
function unpadded (padded: number[]): number[] {
  return padded.slice(padded.findIndex(id => id !== ids.end))
}

/**
 * Reads a prompt into a cache of its own. Gives the log-probabilities of all ids after each chunk, with the place of
 * its last token.
 */
async function read (languageModel: LanguageModel, prompt: Place[], chunkLength: number) {
  const store = createMemoryStore({ ...storeShapeOf(manifest, 1), rows: 1, maxLength: 96 }, languageModel)
  const cache = createKvCache(store, 1)
  const slot = cache.allocate()
  const steps: { place: number; logProbabilities: Float32Array }[] = []
  for (let start = 0; start < prompt.length; start += chunkLength) {
    const chunk = prompt.slice(start, start + chunkLength)
    const places = [...chunk.keys()].filter(i => typeof chunk[i] !== 'number')
    const embeddings = Float32Array.from(places.flatMap(i => Array.from(chunk[i] as Float32Array)))
    const [state] = await cache.read(
      {
        count: chunk.length,
        tokenIds: chunk.map(place => (typeof place === 'number' ? place : 0)),
        positions: chunk.map((_, i) => start + i),
        embedded: { places, embeddings }
      },
      start === 0 ? undefined : { first: 0, count: 1 },
      [slot],
      [chunk.length]
    )
    const [[words], [all]] = await Promise.all([heads.words([state!]), heads.everything([state!])])
    all!.set(words!)
    steps.push({ place: start + chunk.length - 1, logProbabilities: all! })
  }
  return steps
}

/** The engine on the golden package, with a pixel decoder without weights: codes are what counts here. */
function startEngine (t: Test) {
  const decoder = {
    sizes: ['1x1'],
    latent_channels: 3,
    latent_scale: 1,
    scaling_factor: 1,
    max_steps: 1,
    schedule: { kind: 'flow' as const }
  }
  const ends = new Map<number, (message: FromEngine) => void>()
  const batcher = createBatcher({
    manifest: { ...manifest, pixel_decoder: decoder },
    graphs: {
      visualTokenizer: createVisualTokenizer(sessions, manifest),
      languageModel,
      heads,
      pixelDecoder: fakeGraphs().pixelDecoder
    },
    limits: { slots: 21, queueLimit: 20, queueCost: 1e6 },
    send: message => {
      if ('id' in message && message.kind !== 'placed') ends.get(message.id)?.(message)
    }
  })
  t.teardown(() => batcher.close())
  return async function run<R> (work: Work): Promise<R> {
    const end = await new Promise<FromEngine>(resolve => {
      ends.set(ends.size, resolve)
      batcher.submit(ends.size - 1, work)
    })
    if (end.kind !== 'done') throw new Error(JSON.stringify(end))
    return end.result as R
  }
}

function textWork (b: number, prompt: number[], options: Partial<Extract<Work, { task: 'text' }>> = {}): Work {
  const segments: Segment[] = [
    { kind: 'ids', ids: [ids.image_start] },
    { kind: 'features', picture: { pixels: planesOf(b), selection } },
    { kind: 'ids', ids: [ids.image_end, ...prompt] }
  ]
  return { task: 'text', segments, sampling, numBeams: 1, lengthPenalty: 1, earlyStopping: false, n: 1, ...options }
}

function generateWork (segments: Segment[], guidanceScale: number, maxTokens: number): Work {
  return {
    task: 'generate',
    segments,
    sampling: { ...sampling, maxTokens, minTokens: 6 },
    guidanceScale,
    painting: { width: 1, height: 1, steps: 1, decoderGuidanceScale: 1, seed: 0 },
    n: 1
  }
}
