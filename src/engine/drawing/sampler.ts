/** From logits to the next token: guidance, logits processors, and the seeded choice. */
import TinyQueue from 'tinyqueue'
import type { Random } from './random.ts'
import { rankedIds } from './ranked.ts'

/** What may be drawn, and how. Ids from `suppressed.from` to before `suppressed.to` never are. */
export type DrawRules = {
  temperature: number // 0 is greedy
  topK: number // 0 is off
  topP: number // 1 is off
  repetitionPenalty: number // 1 is off
  minTokens: number // no end before that many
  end: number
  suppressed: { from: number; to: number }
}

/**
 * What may come next. Scores are the log-probabilities after guidance, if there is any; `logProbabilities` are the
 * model's
 * own. With `ids` they are those of the best ids, best first and only of what is possible; without, place i is that of
 * id i.
 */
export type Scores = { ids?: number[]; scores: Float32Array; logProbabilities: Float32Array }

type Processed = Float32Array | Float64Array
export type Scored = { id: number; score: number }
export type Weighted = { id: number; weight: number } // weights are not normalised

type Processors = Pick<DrawRules, 'repetitionPenalty' | 'minTokens' | 'end' | 'suppressed'>
type Choosing = Pick<DrawRules, 'temperature' | 'topK' | 'topP'>

export type Choice = { tokenId: number; logProbability: number }

let room = new Float64Array() // for scores while they are processed

const mostInHeap = 16_384 // of more, sorting all numbers is quicker
const never = -1e29 // scores below it are of ids that are not possible

/**
 * Draws one token after those in `drawn`. The log probability is the model's own for the conditional branch: before
 * guidance, processors and temperature. Throws when the scores are no distribution.
 */
export function drawToken (
  { ids, scores, logProbabilities }: Scores,
  {
    drawn,
    rules,
    random
  }: {
    drawn: number[]
    rules: DrawRules
    random: Random
  }
): Choice {
  const candidates = ids
    ? weighted(
      ids.map((id, i) => ({ id, score: scores[i] ?? NaN })),
      rules
    )
    : candidatesOf(processed(scores, drawn, rules), rules)
  const tokenId = choose(candidates, random)
  if (tokenId === undefined) throw new Error('the scores are not finite')
  return { tokenId, logProbability: logProbabilities[ids ? ids.indexOf(tokenId) : tokenId] ?? NaN }
}

/** The scores after the processors. Where these have anything to do it is a copy, which holds until the next call. */
export function processed (scores: Float32Array, drawn: number[], rules: Processors): Processed {
  const { repetitionPenalty, minTokens, suppressed } = rules
  if (repetitionPenalty === 1 && drawn.length >= minTokens && suppressed.from === suppressed.to) return scores
  if (room.length < scores.length) room = new Float64Array(scores.length)
  const copy = room.subarray(0, scores.length)
  copy.set(scores)
  processScores(copy, drawn, rules)
  return copy
}

/**
 * Classifier-free guidance on log probabilities (arXiv 2306.17806, equation 7): u + s * (c - u). Not normalised again.
 */
export function guide (conditional: Float32Array, unconditional: Float32Array, scale: number): Float32Array {
  return conditional.map((c, i) => {
    const u = unconditional[i] ?? NaN
    return u + scale * (c - u)
  })
}

/** Repetition penalty (arXiv 1909.05858) over the ids drawn so far, then minimum length, then suppression; in place. */
export function processScores (scores: Float64Array, drawn: number[], rules: Processors): void {
  const { repetitionPenalty, minTokens, end, suppressed } = rules
  if (repetitionPenalty !== 1) {
    for (const id of new Set(drawn)) {
      const score = scores[id] ?? NaN
      scores[id] = score * (score < 0 ? repetitionPenalty : 1 / repetitionPenalty)
    }
  }
  if (drawn.length < minTokens) scores[end] = -Infinity
  scores.fill(-Infinity, suppressed.from, suppressed.to)
}

/** What is left after temperature, top-k and top-p, in this order. Of equal scores the lower id is the better. */
export function candidatesOf (scores: Processed, rules: Choosing): Weighted[] {
  const { temperature, topK } = rules
  const isShort = temperature === 0 || topK > 0
  return weighted(isShort ? best(scores, temperature === 0 ? 1 : topK) : possible(scores), rules)
}

/** The same of scored ids; these are best first where `topK` is to choose among them. */
export function weighted (scored: Scored[], { temperature, topK, topP }: Choosing): Weighted[] {
  const last = scored.findIndex(({ score }) => !(score > never))
  const most = Math.min(last === -1 ? scored.length : last, temperature === 0 ? 1 : topK || Infinity)
  const kept = scored.slice(0, most)
  if (temperature === 0) return kept.map(({ id }) => ({ id, weight: 1 }))
  const top = kept.reduce((max, { score }) => Math.max(max, score), -Infinity)
  const weights = kept.map(({ id, score }) => ({ id, weight: Math.exp((score - top) / temperature) }))
  return topP < 1 ? nucleus(weights, topP) : weights
}

/** The `count` best scores, best first, of equal ones the lower id; impossible ones (-Infinity) are left out. */
export function best (scores: Processed, count: number): Scored[] {
  if (count > mostInHeap) {
    return Array.from(rankedIds(scores).subarray(0, count), id => ({ id, score: scores[id] ?? NaN }))
  }
  const found = new TinyQueue<Scored>([], (a, b) => a.score - b.score || b.id - a.id) // the worst of them is at hand
  let least = -Infinity // what a score has to beat
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id] ?? NaN
    if (!(score > least)) continue
    found.push({ id, score })
    if (found.length > count) found.pop()
    if (found.length === count) least = found.peek()?.score ?? least
  }
  return Array.from({ length: found.length }, () => found.pop()).flatMap(one => one ?? []).reverse()
}

function possible (scores: Processed): Scored[] {
  const found: Scored[] = []
  for (const [id, score] of scores.entries()) if (score > -Infinity) found.push({ id, score })
  return found
}

/** The fewest of the best that together hold at least `topP` of the weight. */
function nucleus (candidates: Weighted[], topP: number): Weighted[] {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
  // all that are lighter fall outside together: no need to sort them
  const lightest = ((1 - topP) * total) / candidates.length
  const bestFirst = candidates
    .filter(({ weight }) => weight >= lightest)
    .sort((a, b) => b.weight - a.weight || a.id - b.id)
  let held = 0
  const next = bestFirst.findIndex(({ weight }) => {
    if (held >= topP * total) return true
    held += weight
    return false
  })
  return next === -1 ? bestFirst : bestFirst.slice(0, next)
}

function choose (candidates: Weighted[], random: Random): number | undefined {
  let left = random.uniform() * candidates.reduce((sum, { weight }) => sum + weight, 0)
  const chosen = candidates.find(({ weight }) => {
    if (left < weight) return true
    left -= weight
    return false
  })
  return (chosen ?? candidates.at(-1))?.id
}
