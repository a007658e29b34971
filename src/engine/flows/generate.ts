/**
 * A prompt to pictures: visual ids until the image end, or until the picture has a code for every patch; each sample is
 * painted as soon as it is drawn. Until a first code is there nothing else is possible: a picture cannot be painted of
 * none.
 */
import { leastTextId } from '../../graphs/heads.ts'
import { patchesOf } from '../../package/patches.ts'
import { previewPainting, promptsOf } from '../../pipe/cost.ts'
import { seedOfSample, type PaintResult, type Sampling, type Work } from '../../pipe/work.ts'
import { layOut, usageOf, type Prompt } from '../prompt.ts'
import type { Want } from '../stations/heads.ts'
import type { Ticket } from '../ticket.ts'
import { drawSample } from './draw.ts'
import { look, roomFor, segmentsOf, type Stations } from './flow.ts'
import { createPreviews, previewCounts } from './previews.ts'

export async function generate (
  ticket: Ticket,
  work: Extract<Work, { task: 'generate' }>,
  stations: Stations
): Promise<PaintResult> {
  const { manifest, prefill, paint } = stations
  const { ids } = manifest
  const { segments, sampling, guidanceScale, painting, n } = work
  const variants = segmentsOf(segments, promptsOf(work))
  const looking = Promise.all(variants.map(variant => look(ticket, variant, stations)))
  const laidOut = looking.then(seen => variants.map((variant, i) => layOut(variant, seen[i]!, manifest)))
  const isWhole = needsAllScores(sampling, manifest.language_model.candidates)
  const wantAfter = (drawn: number[]): Want => {
    const hasCode = drawn.some(id => id >= ids.visual_offset)
    return {
      head: 'visual',
      guidanceScale,
      maySkip: hasCode,
      mayEnd: hasCode && drawn.length >= sampling.minTokens,
      isWhole
    }
  }
  const unguided = nothing(ids.image_start)
  const contextsOf = (prompt: Prompt) => (guidanceScale === 1 ? [prompt] : [prompt, unguided])
  const samples = await prefill(
    ticket,
    laidOut.then(prompts => ({
      samples: Array.from({ length: n }, (_, i) => contextsOf(prompts[i % prompts.length]!)),
      want: wantAfter([])
    }))
  )
  const prompts = await laidOut

  const rules = { ...sampling, end: ids.image_end, suppressed: { from: leastTextId, to: ids.image_start } }
  const firstRules = { ...rules, suppressed: { from: 0, to: ids.visual_offset } }
  const codesOf = (drawn: number[]) => drawn.filter(id => id >= ids.visual_offset).map(id => id - ids.visual_offset)
  const options = {
    rulesAfter: (drawn: number[]) => (codesOf(drawn).length === 0 ? firstRules : rules),
    isComplete: (drawn: number[]) => codesOf(drawn).length >= patchesOf(manifest),
    wantAfter
  }
  const counts = previewCounts(work.previews ?? 0, patchesOf(manifest))
  const quick = previewPainting(painting, manifest)
  const pictures = await Promise.all(
    samples.map(async (read, i) => {
      const maxTokens = roomFor(sampling.maxTokens, prompts[i % prompts.length]!.tokenIds.length, stations)
      const seed = seedOfSample(sampling.seed, i)
      const paintSeed = seedOfSample(painting.seed, i)
      const previews = createPreviews(
        counts,
        codes => paint(ticket, codes, quick, paintSeed),
        picture => ticket.tell({ kind: 'preview', sample: i, picture })
      )
      const onDrawn = (ids: number[]) => previews.after(codesOf(ids))
      const drawn = await drawSample(ticket, read, { ...options, onDrawn, maxTokens, seed, sample: i }, stations)
      const [picture] = await Promise.all([
        paint(ticket, codesOf(drawn.ids), painting, paintSeed, i),
        previews.all()
      ])
      ticket.tell({ kind: 'picture', sample: i, picture })
      return picture
    })
  )
  return { pictures, ...usageOf(segments, (await looking)[0]!, manifest) }
}

/** Whether the best candidates are not enough: any id may be drawn, or scores change by what was drawn. */
function needsAllScores ({ temperature, topK, repetitionPenalty }: Sampling, candidates: number): boolean {
  return repetitionPenalty !== 1 || (temperature > 0 && (topK === 0 || topK > candidates))
}

function nothing (imageStart: number): Prompt {
  return { tokenIds: [imageStart], places: [], embeddings: new Float32Array() }
}
