/** A prompt to texts: no visual ids, ends at the end id. With beams the temperature plays no part. */
import { promptsOf, rowsOf } from '../../pipe/cost.ts'
import { seedOfSample, type TextResult, type Work } from '../../pipe/work.ts'
import { layOut, usageOf } from '../prompt.ts'
import type { Ticket } from '../ticket.ts'
import { drawBeams, drawSample } from './draw.ts'
import { look, roomFor, segmentsOf, type Stations } from './flow.ts'

export async function text (ticket: Ticket, work: Extract<Work, { task: 'text' }>, stations: Stations): Promise<TextResult> {
  const { manifest, prefill } = stations
  const { segments, sampling, numBeams, lengthPenalty, earlyStopping, n } = work
  const samples = segmentsOf(segments, promptsOf(work))
  const looking = Promise.all(samples.map(sample => look(ticket, sample, stations)))
  const laidOut = looking.then(seen => samples.map((sample, i) => layOut(sample, seen[i]!, manifest)))
  const rows = await prefill(ticket, laidOut.then(prompts => ({ prompts, rows: rowsOf(work) })))
  const prompts = await laidOut
  const roomOf = (i: number) => roomFor(sampling.maxTokens, prompts[i % prompts.length]!.tokenIds.length, stations)

  const rules = { ...sampling, end: manifest.ids.end, suppressed: { from: manifest.ids.image_start, to: manifest.language_model.vocabulary_size } }
  const usage = usageOf(segments, (await looking)[0]!, manifest)
  if (numBeams > 1) return { sequences: await drawBeams(ticket, rows, { ...rules, numBeams, maxTokens: roomOf(0), lengthPenalty, earlyStopping }, n, stations), ...usage }

  const drawn = await Promise.all(rows.map(async (row, i) => {
    const seed = seedOfSample(sampling.seed, i)
    const sequence = await drawSample(ticket, [row], { rulesAfter: () => rules, maxTokens: roomOf(i), seed, sample: i }, stations)
    return { ...sequence, ...(sampling.temperature > 0 && { seed }) }
  }))
  return { sequences: drawn.sort((a, b) => b.logProbability - a.logProbability), ...usage }
}
