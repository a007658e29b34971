/**
 * A prompt to pictures: visual ids until the image end, or until the picture has a code for every patch; each sample is
 * painted as soon as it is drawn. Until a first code is there nothing else is possible: a picture cannot be painted of none.
 */
import { promptsOf, rowsOf } from '../../pipe/cost.ts'
import { seedOfSample, type PaintResult, type Work } from '../../pipe/work.ts'
import { layOut, usageOf, type Prompt } from '../prompt.ts'
import type { Ticket } from '../ticket.ts'
import { drawSample } from './draw.ts'
import { look, roomFor, segmentsOf, type Stations } from './flow.ts'

const leastTextId = 3 // unknown, begin and end stand below; they are possible among visual ids, and dropped

export async function generate (ticket: Ticket, work: Extract<Work, { task: 'generate' }>, stations: Stations): Promise<PaintResult> {
  const { manifest, prefill, paint } = stations
  const { ids, image: { grid } } = manifest
  const { segments, sampling, guidanceScale, painting, n } = work
  const samples = segmentsOf(segments, promptsOf(work))
  const looking = Promise.all(samples.map(sample => look(ticket, sample, stations)))
  const laidOut = looking.then(seen => samples.map((sample, i) => layOut(sample, seen[i]!, manifest)))
  const reading = laidOut.then(prompts => ({ prompts: prompts.flatMap(prompt => guidanceScale === 1 ? [prompt] : [prompt, nothing(ids.image_start)]), rows: rowsOf(work) }))
  const rows = await prefill(ticket, reading)
  const prompts = await laidOut

  const rules = { ...sampling, end: ids.image_end, suppressed: { from: leastTextId, to: ids.image_start } }
  const firstRules = { ...rules, suppressed: { from: 0, to: ids.visual_offset } }
  const codesOf = (drawn: number[]) => drawn.filter(id => id >= ids.visual_offset).map(id => id - ids.visual_offset)
  const options = {
    rulesAfter: (drawn: number[]) => codesOf(drawn).length === 0 ? firstRules : rules,
    isComplete: (drawn: number[]) => codesOf(drawn).length >= grid.rows * grid.columns,
    guidanceScale
  }
  const branches = rows.length / n
  const pictures = await Promise.all(Array.from({ length: n }, async (_, i) => {
    const maxTokens = roomFor(sampling.maxTokens, prompts[i % prompts.length]!.tokenIds.length, stations)
    const seed = seedOfSample(sampling.seed, i)
    const drawn = await drawSample(ticket, rows.slice(i * branches, (i + 1) * branches), { ...options, maxTokens, seed, sample: i }, stations)
    const picture = await paint(ticket, codesOf(drawn.ids), painting, seedOfSample(painting.seed, i))
    ticket.tell({ kind: 'picture', sample: i, picture })
    return picture
  }))
  return { pictures, ...usageOf(segments, (await looking)[0]!, manifest) }
}

function nothing (imageStart: number): Prompt {
  return { tokenIds: [imageStart], places: [], embeddings: new Float32Array() }
}
