/** What a request may cost at most, whether the engine takes it, and when a refused client should come back. */
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { Picture, Segment, Work } from '../pipe/work.ts'

const pixelsPerToken = 256 // a paint step on that many pixels is charged as one token

export type Limits = { slots: number, queueLimit: number, queueCost: number }

export type Admission = ReturnType<typeof createAdmission>

/** Charges requests on arrival and gives the charge back when they end. */
export function createAdmission (manifest: Manifest, { slots, queueLimit, queueCost }: Limits) {
  let requests = 0
  let cost = 0
  const drained = { cost: 0, seconds: 0 } // fades, so that the rate follows the load
  let lastEnd: number | undefined
  return {
    cost: () => cost,

    /** The charge of a request. Throws `too_large` for one that can never run, `queue_full` for one that cannot be taken now. */
    admit (work: Work): number {
      checkFits(work, manifest, slots)
      const charge = worstCost(work, manifest)
      if (charge > queueCost) throw new ServerError('too_large', `The request may cost ${charge} units, the limit is ${queueCost}`)
      if (requests >= queueLimit || cost + charge > queueCost) {
        const excess = Math.max(cost + charge - queueCost, cost / Math.max(requests, 1))
        throw new ServerError('queue_full', 'The model has as much work as it may have', { retryAfterSeconds: secondsFor(excess) })
      }
      if (requests === 0) lastEnd = performance.now()
      requests++
      cost += charge
      return charge
    },

    /** Gives a charge back. */
    end (charge: number): void {
      const now = performance.now()
      drained.cost = drained.cost * 0.9 + charge
      drained.seconds = drained.seconds * 0.9 + (now - lastEnd!) / 1000
      lastEnd = now
      requests--
      cost -= charge
    }
  }

  function secondsFor (excess: number): number {
    if (drained.cost === 0) return 1
    return Math.min(600, Math.max(1, Math.ceil(excess * drained.seconds / drained.cost)))
  }
}

/** Tokens through the language model in all rows, patches through the vision graph, and paint steps by picture area. */
export function worstCost (work: Work, manifest: Manifest): number {
  switch (work.task) {
    case 'tokenize': return patchesOf(manifest)
    case 'detokenize': return paintCost(work.painting, manifest)
    case 'text': return promptCost(work.segments, manifest) + rowsOf(work) * work.sampling.maxTokens
    case 'generate': return promptCost(work.segments, manifest) + rowsOf(work) * work.sampling.maxTokens + work.n * paintCost(work.painting, manifest)
  }
}

/** Rows of the decode batch that a request holds. */
export function rowsOf (work: Extract<Work, { task: 'text' | 'generate' }>): number {
  if (work.task === 'text') return work.numBeams > 1 ? work.numBeams : work.n
  return work.n * (work.guidanceScale === 1 ? 1 : 2)
}

/** The longest a prompt can get, before it is known which patches stay. */
export function longestPrompt (segments: Segment[], manifest: Manifest): number {
  return segments.reduce((sum, segment) => sum + (segment.kind === 'ids' ? segment.ids.length : mostKept(segment.picture, manifest)), 0)
}

function checkFits (work: Work, manifest: Manifest, slots: number): void {
  if (work.task === 'tokenize') return
  if (work.task === 'detokenize') {
    if (work.codes.length > patchesOf(manifest)) throw new ServerError('too_large', `A picture has at most ${patchesOf(manifest)} visual tokens`)
    return
  }
  const { max_length: maxLength } = manifest.language_model
  const length = longestPrompt(work.segments, manifest)
  if (length + Math.max(work.sampling.minTokens, 1) > maxLength) throw new ServerError('too_large', `The prompt may take ${length} of the model's ${maxLength} places and leaves too few for the answer`)
  if (rowsOf(work) > slots) throw new ServerError('too_large', `The request needs ${rowsOf(work)} sequences at a time (one for each beam, text or picture, two with guidance), the server runs ${slots}`)
}

function promptCost (segments: Segment[], manifest: Manifest): number {
  const pictures = segments.filter(segment => segment.kind !== 'ids').length
  return longestPrompt(segments, manifest) + pictures * patchesOf(manifest)
}

function paintCost ({ width, height, steps, decoderGuidanceScale }: Extract<Work, { task: 'detokenize' }>['painting'], manifest: Manifest): number {
  const runs = Math.max(steps, 1) * (decoderGuidanceScale === 1 ? 1 : 2)
  return patchesOf(manifest) + Math.ceil(runs * width * height / pixelsPerToken)
}

function mostKept ({ selection: { maxVisualTokens = Infinity } }: Picture, manifest: Manifest): number {
  return Math.min(patchesOf(manifest), Math.max(maxVisualTokens, manifest.visual_tokenizer.min_visual_tokens))
}

function patchesOf ({ image: { grid } }: Manifest): number {
  return grid.rows * grid.columns
}
