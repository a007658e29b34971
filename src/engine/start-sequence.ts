/** From prompt to answer: takes a request whose contexts are in the cache into the decode batch, and says what becomes of what it draws. */
import type { Manifest } from '../package/manifest.ts'
import type { Slot } from './kv-cache.ts'
import type { Work } from '../pipe/work.ts'
import { createPaintJob } from './paint-job.ts'
import { usageOf, type Request } from './request.ts'
import type { DrawRules } from './sampler.ts'
import { createBeams, createSamples, type Finished, type SampleSlots, type Sequence } from './sequence.ts'
import type { Bench } from './units.ts'

type TextWork = Extract<Work, { task: 'text' }>
type GenerateWork = Extract<Work, { task: 'generate' }>

const leastTextId = 3 // unknown, begin and end stand below; they are possible among visual ids, and dropped

/** Copies the prompt to all rows of the request, activates them and draws the first token of each. */
export function startSequence (request: Request, bench: Bench): void {
  const { cache } = bench
  const { slots, contexts } = request
  for (const [i, slot] of slots.entries()) {
    const context = contexts[i % contexts.length]!
    if (slot !== context.slot) cache.copy(context.slot, slot)
    cache.activate(slot)
  }
  const { work } = request
  request.sequence = work.task === 'generate' ? visualSequence(request, work, bench) : textSequence(request, work as TextWork, bench)
  request.slots = []
  request.sequence.advance(slot => contexts[slots.indexOf(slot) % contexts.length]!.logits!)
  request.contexts = []
}

/** Text: no visual ids, ends at the end id. With beams the temperature plays no part. */
function textSequence (request: Request, work: TextWork, { manifest, cache, done }: Bench): Sequence {
  const { ids, language_model: { vocabulary_size: vocabulary } } = manifest
  const { sampling, numBeams, lengthPenalty, earlyStopping, n } = work
  const rules = { ...sampling, end: ids.end, suppressed: { from: ids.image_start, to: vocabulary } }
  const maxTokens = roomFor(request, manifest)
  const answer = (sequences: Finished[]) => done(request, { sequences, ...usageOf(request, manifest) })
  const { slots } = request
  if (numBeams > 1) return createBeams({ cache, slots, rules: { ...rules, numBeams, maxTokens, lengthPenalty, earlyStopping }, n, onFinished: answer })
  const finished: Finished[] = []
  let left = n
  return createSamples({
    cache,
    samples: slots.map(conditional => ({ conditional })),
    rulesAfter: () => rules,
    maxTokens,
    guidanceScale: 1,
    seed: sampling.seed,
    isComplete: () => false,
    onFinished (sample, one) {
      finished[sample] = one
      if (--left === 0) answer(finished.toSorted((a, b) => b.logProbability - a.logProbability))
    }
  })
}

/**
 * Visual ids: ends at the image end, or when the picture has a code for every patch; each is painted as soon as it is
 * drawn. Until a first code is there, nothing else is possible: a picture cannot be painted of none.
 */
function visualSequence (request: Request, work: GenerateWork, { manifest, cache }: Bench): Sequence {
  const { ids, image: { grid } } = manifest
  const { sampling, guidanceScale, painting } = work
  const patches = grid.rows * grid.columns
  const rules: DrawRules = { ...sampling, end: ids.image_end, suppressed: { from: leastTextId, to: ids.image_start } }
  const firstRules = { ...rules, suppressed: { from: 0, to: ids.visual_offset } }
  const codesOf = (drawn: number[]) => drawn.filter(id => id >= ids.visual_offset).map(id => id - ids.visual_offset)
  return createSamples({
    cache,
    samples: samplesOf(request.slots, request.contexts.length),
    rulesAfter: drawn => codesOf(drawn).length === 0 ? firstRules : rules,
    maxTokens: roomFor(request, manifest),
    guidanceScale,
    seed: sampling.seed,
    isComplete: drawn => codesOf(drawn).length >= patches,
    onFinished (sample, { ids: drawn }) {
      request.paintJobs.push({ job: createPaintJob(codesOf(drawn), painting, painting.seed + sample, manifest.pixel_decoder!), sample })
    }
  })
}

function samplesOf (slots: Slot[], branches: number): SampleSlots[] {
  if (branches === 1) return slots.map(conditional => ({ conditional }))
  return Array.from({ length: slots.length / 2 }, (_, i) => ({ conditional: slots[2 * i]!, unconditional: slots[2 * i + 1]! }))
}

/** The tokens that may be drawn: as many as asked, or as the cache holds after the prompt. The last one needs no place. */
function roomFor ({ work, contexts }: Request, { language_model: { max_length: maxLength } }: Manifest): number {
  const asked = 'sampling' in work ? work.sampling.maxTokens : 0
  return Math.min(asked, maxLength - contexts[0]!.prompt.tokenIds.length + 1)
}
