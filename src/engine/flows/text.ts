/** A prompt to texts: no visual ids, ends at the end id. With beams the temperature plays no part. */
import { promptsOf, rowsOf } from '../../pipe/cost.ts'
import { seedOfSample, type TextResult, type Work } from '../../pipe/work.ts'
import { layOut, usageOf } from '../prompt.ts'
import type { Ticket } from '../ticket.ts'
import { drawBeams, drawSample } from './draw.ts'
import { encodingOf, familiarityOf, look, roomFor, segmentsOf, type Stations } from './flow.ts'

const want = { head: 'text' } as const

export async function text (
  ticket: Ticket,
  work: Extract<Work, { task: 'text' }>,
  stations: Stations
): Promise<TextResult> {
  const { manifest, prefill } = stations
  const { segments, sampling, numBeams, lengthPenalty, earlyStopping, n } = work
  const variants = segmentsOf(segments, promptsOf(work))
  const looking = Promise.all(variants.map(variant => look(ticket, variant, stations)))
  const laidOut = looking.then(seen => variants.map((variant, i) => layOut(variant, seen[i]!, manifest)))
  const samples = await prefill(
    ticket,
    laidOut.then(prompts => ({
      samples: Array.from({ length: rowsOf(work) }, (_, i) => [prompts[i % prompts.length]!]),
      want
    }))
  )
  const prompts = await laidOut
  const roomOf = (i: number) => roomFor(sampling.maxTokens, prompts[i % prompts.length]!.tokenIds.length, stations)

  // the text head knows no visual ids
  const rules = { ...sampling, end: manifest.ids.end, suppressed: { from: 0, to: 0 } }
  const [seen = []] = await looking
  const pictures = segments.flatMap(segment => (segment.kind === 'ids' ? [] : [segment.picture]))
  const told = { ...usageOf(segments, seen, manifest), ...familiarityOf(seen), ...encodingOf(pictures, seen) }
  if (numBeams > 1) {
    const beamRules = { ...rules, numBeams, maxTokens: roomOf(0), lengthPenalty, earlyStopping }
    return { sequences: await drawBeams(ticket, samples, beamRules, n, stations), ...told }
  }

  const drawn = await Promise.all(
    samples.map(async (read, i) => {
      const seed = seedOfSample(sampling.seed, i)
      const how = { rulesAfter: () => rules, wantAfter: () => want, maxTokens: roomOf(i), seed, sample: i }
      const sequence = await drawSample(ticket, read, how, stations)
      return { ...sequence, ...(sampling.temperature > 0 && { seed }) }
    })
  )
  return { sequences: drawn.sort((a, b) => b.logProbability - a.logProbability), ...told }
}
