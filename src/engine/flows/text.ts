/** A prompt to texts: no visual ids, ends at the end id. With beams the temperature plays no part. */
import { rowsOf } from '../admission.ts'
import type { TextResult, Work } from '../../pipe/work.ts'
import { layOut, usageOf } from '../prompt.ts'
import type { Ticket } from '../ticket.ts'
import { drawBeams, drawSample } from './draw.ts'
import { look, roomFor, type Stations } from './flow.ts'

export async function text (ticket: Ticket, work: Extract<Work, { task: 'text' }>, stations: Stations): Promise<TextResult> {
  const { manifest, prefill } = stations
  const { segments, sampling, numBeams, lengthPenalty, earlyStopping, n } = work
  const looking = look(ticket, segments, stations)
  const laidOut = looking.then(seen => layOut(segments, seen, manifest))
  const rows = await prefill(ticket, laidOut.then(prompt => ({ prompts: [prompt], rows: rowsOf(work) })))

  const rules = { ...sampling, end: manifest.ids.end, suppressed: { from: manifest.ids.image_start, to: manifest.language_model.vocabulary_size } }
  const maxTokens = roomFor(sampling.maxTokens, (await laidOut).tokenIds.length, stations)
  const drawn = numBeams > 1
    ? await drawBeams(ticket, rows, { ...rules, numBeams, maxTokens, lengthPenalty, earlyStopping }, n, stations)
    : await Promise.all(rows.map((row, i) => drawSample(ticket, [row], { rulesAfter: () => rules, maxTokens, seed: sampling.seed + i, sample: i }, stations)))
  return { sequences: drawn.sort((a, b) => numBeams > 1 ? 0 : b.logProbability - a.logProbability), ...usageOf(segments, await looking, manifest) }
}
