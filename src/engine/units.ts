/** The four kinds of work that the engine does between two looks at its inbox; each gives the next unit of its kind, if there is one. */
import type { LanguageModel } from '../graphs/language-model.ts'
import type { PixelDecoder } from '../graphs/pixel-decoder.ts'
import type { VisualTokenizer } from '../graphs/visual-tokenizer.ts'
import type { Manifest } from '../package/manifest.ts'
import { rowsOf } from './admission.ts'
import type { KvCache, Slot } from './kv-cache.ts'
import type { PaintResult, TextResult, TokenizeResult } from '../pipe/work.ts'
import { createPaintJob, nextPaintJobs, paintStep } from './paint-job.ts'
import { isEncoded, promptOf, usageOf, type Context, type Prompt, type Request } from './request.ts'
import { selectPatches } from './selector.ts'
import { startSequence } from './start-sequence.ts'

const picturesAtOnce = 4 // a unit must not keep the others waiting for long
const chunkLength = 64 // tokens of one prefill unit

export type Graphs = { visualTokenizer: VisualTokenizer, languageModel: LanguageModel, pixelDecoder?: PixelDecoder | undefined }

/** What units work with. `requests` are in the order of arrival. */
export type Bench = {
  manifest: Manifest
  graphs: Graphs
  cache: KvCache
  requests: () => Request[]
  done: (request: Request, result: TokenizeResult | TextResult | PaintResult) => void
  failed: (request: Request, error: unknown) => void
}

export type UnitKind = 'encode' | 'prefill' | 'decode' | 'paint'

/** `run` may reject: then every request of the unit has failed. */
export type Unit = { kind: UnitKind, requests: Request[], rows: number, run: () => Promise<void> }

/** A vision batch: the oldest pictures that wait, of any request. */
export function nextEncode (bench: Bench): Unit | undefined {
  const { manifest, graphs: { visualTokenizer } } = bench
  const waiting = bench.requests()
    .flatMap(request => request.pictures.filter(({ encoded }) => encoded === undefined).map(picture => ({ request, picture })))
    .slice(0, picturesAtOnce)
  if (waiting.length === 0) return
  const requests = [...new Set(waiting.map(({ request }) => request))]
  return { kind: 'encode', requests, rows: waiting.length, run }

  async function run () {
    const encoded = await visualTokenizer.encode(waiting.map(({ picture }) => picture.picture.pixels))
    const selected = encoded.map(({ features, keepProbabilities }, i) => {
      const { picture: { picture: { selection }, use } } = waiting[i]!
      return { features, keepProbabilities, use, keepMask: selectPatches(keepProbabilities, selection, manifest.visual_tokenizer.min_visual_tokens) }
    })
    const forCodes = selected.filter(({ use }) => use === 'codes')
    const forFeatures = selected.filter(({ use }) => use === 'features')
    const codes = forCodes.length > 0 ? await visualTokenizer.toCodes(forCodes) : []
    const embeddings = forFeatures.length > 0 ? await visualTokenizer.toEmbeddings(forFeatures) : []
    for (const [i, one] of selected.entries()) {
      const { keepMask, keepProbabilities } = one
      waiting[i]!.picture.encoded = { keepMask, keepProbabilities, codes: codes[forCodes.indexOf(one)] ?? [], embeddings: embeddings[forFeatures.indexOf(one)] ?? new Float32Array() }
    }
    for (const request of requests) if (request.work.task === 'tokenize') bench.done(request, tokenizeResult(request))
  }
}

/** One chunk of the oldest request that still has to be read; nothing overtakes it, not even while it waits for slots. */
export function nextPrefill (bench: Bench): Unit | undefined {
  const { manifest, cache, graphs: { languageModel } } = bench
  const request = bench.requests().find(({ work, sequence }) => 'segments' in work && sequence === undefined)
  if (request === undefined || !isEncoded(request)) return
  if (request.slots.length === 0 && cache.inUse() + slotsNeeded(request) > cache.capacity) return
  return { kind: 'prefill', requests: [request], rows: 1, run: () => run(request) }

  async function run (request: Request) {
    if (request.slots.length === 0) openContexts(request, bench)
    const context = request.contexts.find(({ logits }) => logits === undefined)!
    const { slot, prompt, done } = context
    const chunk = chunkOf(prompt, done, manifest.language_model.hidden_size)
    const step = await languageModel.run(chunk, cache.view(slot.row, 1))
    cache.append([slot], step, chunk.count)
    context.done += chunk.count
    if (context.done === prompt.tokenIds.length) context.logits = step.logits
    if (request.contexts.every(({ logits }) => logits !== undefined)) startSequence(request, bench)
  }
}

/** One token for every row that is past its prompt, of all requests. */
export function nextDecode (bench: Bench): Unit | undefined {
  const { manifest, cache, graphs: { languageModel } } = bench
  const requests = bench.requests().filter(({ sequence }) => sequence?.isFinished() === false)
  if (requests.length === 0) return
  return { kind: 'decode', requests, rows: cache.decoding(), run }

  async function run () {
    const rows = requests.flatMap(({ sequence }) => sequence!.rows()).sort((a, b) => a.slot.row - b.slot.row)
    const tokens = { count: 1, tokenIds: rows.map(({ tokenId }) => tokenId), positions: rows.map(({ slot }) => slot.length) }
    const step = await languageModel.run(tokens, cache.view(0, rows.length))
    cache.append(rows.map(({ slot }) => slot), step, 1)
    const vocabulary = manifest.language_model.vocabulary_size
    const logits = new Map(rows.map(({ slot }, row) => [slot, step.logits.subarray(row * vocabulary, (row + 1) * vocabulary)]))
    for (const request of requests) {
      try {
        request.sequence!.advance((slot: Slot) => logits.get(slot)!)
      } catch (error) {
        bench.failed(request, error)
      }
    }
  }
}

/** One paint step for the pictures that can share a batch. */
export function nextPaint (bench: Bench): Unit | undefined {
  const { manifest, graphs: { pixelDecoder } } = bench
  for (const request of bench.requests()) openDetokenize(request, manifest)
  const paintable = bench.requests().flatMap(request => request.paintJobs.map(({ job, sample }) => ({ request, job, sample })))
  if (paintable.length === 0) return
  const jobs = nextPaintJobs(paintable.map(({ job }) => job))
  const taken = paintable.filter(({ job }) => jobs.includes(job))
  return { kind: 'paint', requests: [...new Set(taken.map(({ request }) => request))], rows: jobs.length, run }

  async function run () {
    await paintStep(jobs, pixelDecoder!)
    for (const { request, job, sample } of taken) {
      if (job.result === undefined) continue
      request.paintJobs = request.paintJobs.filter(other => other.job !== job)
      request.painted[sample] = { ...job.result, seed: job.seed, codes: job.codes }
    }
    for (const request of new Set(taken.map(({ request }) => request))) {
      const isPainted = request.paintJobs.length === 0 && request.sequence?.isFinished() !== false
      if (isPainted) bench.done(request, { pictures: request.painted, ...usageOf(request, manifest) })
    }
  }
}

function tokenizeResult ({ pictures }: Request): TokenizeResult {
  const { codes, keepMask, keepProbabilities } = pictures[0]!.encoded!
  return { codes, keepMask, keepProbabilities: Array.from(keepProbabilities) }
}

function slotsNeeded ({ work }: Request): number {
  return 'segments' in work ? rowsOf(work) : 0
}

/** Takes all slots that the request will need, and lays out its contexts in the first of them. */
function openContexts (request: Request, { manifest, cache }: Bench): void {
  const { work } = request
  request.slots = Array.from({ length: slotsNeeded(request) }, () => cache.allocate())
  request.contexts = [{ slot: request.slots[0]!, prompt: promptOf(request, manifest), done: 0 }]
  if (work.task !== 'generate' || work.guidanceScale === 1) return
  const nothing: Prompt = { tokenIds: [manifest.ids.image_start], places: [], embeddings: new Float32Array() }
  request.contexts.push({ slot: request.slots[1]!, prompt: nothing, done: 0 })
}

function chunkOf ({ tokenIds, places, embeddings }: Prompt, done: Context['done'], hiddenSize: number) {
  const ids = tokenIds.slice(done, done + chunkLength)
  const from = places.filter(place => place < done).length
  const inside = places.filter(place => place >= done && place < done + ids.length)
  return {
    count: ids.length,
    tokenIds: ids,
    positions: ids.map((_, i) => done + i),
    embedded: {
      places: inside.map(place => place - done),
      embeddings: embeddings.subarray(from * hiddenSize, (from + inside.length) * hiddenSize)
    }
  }
}

function openDetokenize (request: Request, manifest: Manifest): void {
  const { work } = request
  if (work.task !== 'detokenize' || request.paintJobs.length > 0) return
  request.paintJobs = [{ job: createPaintJob(work.codes, work.painting, work.painting.seed, manifest.pixel_decoder!), sample: 0 }]
}
