/** One accepted request on its way through the engine: what it holds, and its prompt in the language model's terms. */
import type { Encoded } from '../graphs/visual-tokenizer.ts'
import type { Manifest } from '../package/manifest.ts'
import type { Slot } from './kv-cache.ts'
import type { Timings } from '../pipe/messages.ts'
import type { PaintedPicture, Picture, Work } from '../pipe/work.ts'
import type { PaintJob } from './paint-job.ts'
import type { Sequence } from './sequence.ts'

/** A picture of a request; what is known of it once it is encoded. */
export type RequestPicture = {
  picture: Picture
  use: 'features' | 'codes'
  encoded?: { keepMask: boolean[], keepProbabilities: Encoded['keepProbabilities'], codes: number[], embeddings: Float32Array }
}

/** Tokens of a context, in order. At `places` (ascending) the rows of `embeddings` stand in for the ids'. */
export type Prompt = { tokenIds: number[], places: number[], embeddings: Float32Array }

/** A context on its way into the cache: `done` tokens of it are there. */
export type Context = { slot: Slot, prompt: Prompt, done: number, logits?: Float32Array }

export type Request = {
  id: number
  work: Work
  charge: number
  acceptedAt: number
  isStarted: boolean
  isCancelled: boolean
  timings: Timings
  pictures: RequestPicture[]
  slots: Slot[] // held until `sequence` takes them over
  contexts: Context[] // conditional, then unconditional
  sequence?: Sequence
  paintJobs: { job: PaintJob, sample: number }[] // unfinished
  painted: PaintedPicture[] // by sample; holes where unfinished
}

export function createRequest (id: number, work: Work, charge: number): Request {
  return {
    id,
    work,
    charge,
    acceptedAt: performance.now(),
    isStarted: false,
    isCancelled: false,
    timings: { queue: 0, encode: 0, prefill: 0, decode: 0, paint: 0 },
    pictures: picturesOf(work),
    slots: [],
    contexts: [],
    paintJobs: [],
    painted: []
  }
}

export function isEncoded ({ pictures }: Request): boolean {
  return pictures.every(({ encoded }) => encoded !== undefined)
}

/** The prompt of an encoded request: ids as they stand, features as embeddings, codes as visual ids. */
export function promptOf (request: Request, { ids, language_model: { hidden_size: hiddenSize } }: Pick<Manifest, 'ids' | 'language_model'>): Prompt {
  const { work, pictures } = request
  const tokenIds: number[] = []
  const places: number[] = []
  const embeddings: Float32Array[] = []
  let next = 0
  for (const segment of 'segments' in work ? work.segments : []) {
    if (segment.kind === 'ids') {
      tokenIds.push(...segment.ids)
      continue
    }
    const encoded = pictures[next++]!.encoded!
    if (segment.kind === 'codes') {
      tokenIds.push(...encoded.codes.map(code => code + ids.visual_offset))
      continue
    }
    embeddings.push(encoded.embeddings)
    for (let row = 0; row < encoded.embeddings.length / hiddenSize; row++) places.push(tokenIds.push(0) - 1)
  }
  return { tokenIds, places, embeddings: concatenated(embeddings) }
}

/** What the answer's usage says of the prompt: kept patches and visual ids, and text ids. */
export function usageOf ({ work, pictures }: Request, { ids }: Pick<Manifest, 'ids'>): { visualTokens: number, promptTokens: number } {
  const given = 'segments' in work ? work.segments.flatMap(segment => segment.kind === 'ids' ? segment.ids : []) : []
  const kept = pictures.reduce((sum, { encoded }) => sum + encoded!.keepMask.filter(Boolean).length, 0)
  return {
    visualTokens: kept + given.filter(id => id >= ids.visual_offset).length,
    promptTokens: given.filter(id => id < ids.image_start).length
  }
}

function picturesOf (work: Work): RequestPicture[] {
  if (work.task === 'tokenize') return [{ picture: work.picture, use: 'codes' }]
  if (work.task === 'detokenize') return []
  return work.segments.flatMap(segment => segment.kind === 'ids' ? [] : [{ picture: segment.picture, use: segment.kind }])
}

function concatenated (arrays: Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const array of arrays) {
    all.set(array, offset)
    offset += array.length
  }
  return all
}
