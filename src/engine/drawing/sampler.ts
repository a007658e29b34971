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

export type Candidates = { ids: number[], weights: number[] } // weights are not normalised

export type Choice = { tokenId: number, logProbability: number }

/**
 * Draws one token after those in `drawn`. The log probability is the model's own for the conditional branch: before
 * guidance, processors and temperature.
 */
export function drawToken (logits: Float32Array, { unconditional, guidanceScale, drawn, rules, random }: {
  unconditional?: Float32Array | undefined
  guidanceScale: number
  drawn: number[]
  rules: DrawRules
  random: Random
}): Choice {
  const logProbabilities = logSoftmax(logits)
  const scores = unconditional === undefined ? logProbabilities.slice() : guide(logProbabilities, logSoftmax(unconditional), guidanceScale)
  processScores(scores, drawn, rules)
  const tokenId = choose(candidatesOf(scores, rules), random)
  return { tokenId, logProbability: logProbabilities[tokenId]! }
}

/** Natural log of the softmax. Throws when the logits hold no distribution. */
export function logSoftmax (logits: Float32Array): Float64Array {
  let max = -Infinity
  for (const x of logits) if (x > max) max = x
  let sum = 0
  for (const x of logits) sum += Math.exp(x - max)
  const logSum = max + Math.log(sum)
  if (!Number.isFinite(logSum)) throw new Error('the logits are not finite')
  const logProbabilities = new Float64Array(logits.length)
  for (let i = 0; i < logits.length; i++) logProbabilities[i] = logits[i]! - logSum // `from` with a function takes many times as long
  return logProbabilities
}

/** Classifier-free guidance on log probabilities (arXiv 2306.17806, equation 7): u + s * (c - u). Not normalised again. */
export function guide (conditional: Float64Array, unconditional: Float64Array, scale: number): Float64Array {
  return conditional.map((c, i) => unconditional[i]! + scale * (c - unconditional[i]!))
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
export function candidatesOf (scores: Float64Array, { temperature, topK, topP }: Pick<DrawRules, 'temperature' | 'topK' | 'topP'>): Candidates {
  if (temperature === 0) return { ids: best(scores, 1), weights: [1] }
  const ids = topK > 0 ? best(scores, topK) : possible(scores)
  const top = ids.reduce((max, id) => Math.max(max, scores[id]!), -Infinity)
  const weights = ids.map(id => Math.exp((scores[id]! - top) / temperature))
  return topP < 1 ? nucleus({ ids, weights }, topP) : { ids, weights }
}

/** The ids of the `count` best scores, best first; impossible ones (-Infinity) are left out. */
export function best (scores: Float64Array, count: number): number[] {
  const ids: number[] = []
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!
    if (score === -Infinity || (ids.length === count && score <= scores[ids[count - 1]!]!)) continue
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
function nucleus ({ ids, weights }: Candidates, topP: number): Candidates {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const lightest = (1 - topP) * total / ids.length // all that are lighter fall outside together: no need to sort them
  const bestFirst = Array.from(ids.keys()).filter(i => weights[i]! >= lightest).sort((a, b) => weights[b]! - weights[a]! || ids[a]! - ids[b]!)
  let held = 0
  let count = 0
  while (count < bestFirst.length && held < topP * total) held += weights[bestFirst[count++]!]!
  const kept = bestFirst.slice(0, count)
  return { ids: kept.map(i => ids[i]!), weights: kept.map(i => weights[i]!) }
}

function choose ({ ids, weights }: Candidates, random: Random): number {
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
  let i = 0
  while (i < ids.length - 1 && left >= weights[i]!) left -= weights[i++]!
  return ids[i]!
}
