/** From logits to the next token: guidance, logits processors, and the seeded choice. */
import type { Random } from './random.ts'

/** What may be drawn, and how. Ids from `suppressed.from` to before `suppressed.to` never are. */
export type DrawRules = {
  temperature: number // 0 is greedy
  topK: number // 0 is off
  topP: number // 1 is off
  repetitionPenalty: number // 1 is off
  minTokens: number // no end before that many
  end: number
  suppressed: { from: number, to: number }
}

/**
 * What may come next. Scores are the log-probabilities after guidance, if there is any; `logProbabilities` are the model's
 * own. With `ids` they are those of the best ids, best first and only of what is possible; without, place i is that of id i.
 */
export type Scores = { ids?: number[], scores: Float32Array, logProbabilities: Float32Array }

export type Weighted = { ids: number[], weights: number[] } // weights are not normalised

export type Choice = { tokenId: number, logProbability: number }

const never = -1e29 // scores below it are of ids that are not possible

/**
 * Draws one token after those in `drawn`. The log probability is the model's own for the conditional branch: before
 * guidance, processors and temperature. Throws when the scores are no distribution.
 */
export function drawToken ({ ids, scores, logProbabilities }: Scores, { drawn, rules, random }: {
  drawn: number[]
  rules: DrawRules
  random: Random
}): Choice {
  const weighted = ids ? weightsOf(ids, scores, rules) : candidatesOf(processed(scores, drawn, rules), rules)
  if (weighted.ids.length === 0) throw new Error('the scores are not finite')
  const tokenId = choose(weighted, random)
  return { tokenId, logProbability: logProbabilities[ids ? ids.indexOf(tokenId) : tokenId] ?? NaN }
}

/** A copy of the scores after the processors. */
export function processed (scores: Float32Array, drawn: number[], rules: Parameters<typeof processScores>[2]): Float64Array {
  const copy = Float64Array.from(scores)
  processScores(copy, drawn, rules)
  return copy
}

/** Classifier-free guidance on log probabilities (arXiv 2306.17806, equation 7): u + s * (c - u). Not normalised again. */
export function guide (conditional: Float32Array, unconditional: Float32Array, scale: number): Float32Array {
  return conditional.map((c, i) => {
    const u = unconditional[i] ?? NaN
    return u + scale * (c - u)
  })
}

/** Repetition penalty (arXiv 1909.05858) over the ids drawn so far, then minimum length, then suppression; in place. */
export function processScores (scores: Float64Array, drawn: number[], { repetitionPenalty, minTokens, end, suppressed }: Pick<DrawRules, 'repetitionPenalty' | 'minTokens' | 'end' | 'suppressed'>): void {
  if (repetitionPenalty !== 1) {
    for (const id of new Set(drawn)) scores[id]! *= scores[id]! < 0 ? repetitionPenalty : 1 / repetitionPenalty
  }
  if (drawn.length < minTokens) scores[end] = -Infinity
  scores.fill(-Infinity, suppressed.from, suppressed.to)
}

/** What is left after temperature, top-k and top-p, in this order. Of equal scores the lower id is the better. */
export function candidatesOf (scores: Float64Array, rules: Pick<DrawRules, 'temperature' | 'topK' | 'topP'>): Weighted {
  const { temperature, topK } = rules
  const ids = temperature === 0 ? best(scores, 1) : topK > 0 ? best(scores, topK) : possible(scores)
  return weightsOf(ids, Float64Array.from(ids, id => scores[id] ?? NaN), rules)
}

/** The same of some ids with their scores; these are best first where `topK` is to choose among them. */
export function weightsOf (ids: number[], scores: Float32Array | Float64Array, { temperature, topK, topP }: Pick<DrawRules, 'temperature' | 'topK' | 'topP'>): Weighted {
  const values = Array.from(scores)
  const possible = values.findIndex(score => !(score > never))
  const most = Math.min(possible === -1 ? ids.length : possible, temperature === 0 ? 1 : topK || Infinity)
  const kept = ids.slice(0, most)
  if (temperature === 0) return { ids: kept, weights: kept.map(() => 1) }
  const top = values.slice(0, most).reduce((max, score) => Math.max(max, score), -Infinity)
  const weights = values.slice(0, most).map(score => Math.exp((score - top) / temperature))
  return topP < 1 ? nucleus({ ids: kept, weights }, topP) : { ids: kept, weights }
}

/** The ids of the `count` best scores, best first; impossible ones (-Infinity) are left out. */
export function best (scores: Float64Array, count: number): number[] {
  const ids: number[] = []
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!
    if (!(score > -Infinity) || (ids.length === count && score <= scores[ids[count - 1]!]!)) continue
    let place = Math.min(ids.length, count - 1)
    while (place > 0 && scores[ids[place - 1]!]! < score) {
      ids[place] = ids[place - 1]!
      place--
    }
    ids[place] = id
  }
  return ids
}

function possible (scores: Float64Array): number[] {
  const ids: number[] = []
  for (let id = 0; id < scores.length; id++) if (scores[id]! > -Infinity) ids.push(id)
  return ids
}

/** The fewest of the best that together hold at least `topP` of the weight. */
function nucleus ({ ids, weights }: Weighted, topP: number): Weighted {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const lightest = (1 - topP) * total / ids.length // all that are lighter fall outside together: no need to sort them
  const bestFirst = Array.from(ids.keys()).filter(i => weights[i]! >= lightest).sort((a, b) => weights[b]! - weights[a]! || ids[a]! - ids[b]!)
  let held = 0
  let count = 0
  while (count < bestFirst.length && held < topP * total) held += weights[bestFirst[count++]!]!
  const kept = bestFirst.slice(0, count)
  return { ids: kept.map(i => ids[i]!), weights: kept.map(i => weights[i]!) }
}

function choose ({ ids, weights }: Weighted, random: Random): number {
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
  let i = 0
  while (i < ids.length - 1 && left >= weights[i]!) left -= weights[i++]!
  return ids[i]!
}
