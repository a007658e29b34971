/**
 * Beam search of one request: which hypotheses fork, which die, and when the search is over. Knows no cache and no
 * graph.
 */
import { best, processed, type DrawRules } from './sampler.ts'

export type BeamRules = Pick<DrawRules, 'repetitionPenalty' | 'minTokens' | 'end' | 'suppressed'> & {
  numBeams: number
  maxTokens: number
  lengthPenalty: number
  /** Over as soon as `numBeams` hypotheses are closed, even if a running one could still win. */
  earlyStopping: boolean
}

/** A running hypothesis for the next step: the row it continues (as given to `advance`) and its new token. */
export type Fork = { parent: number; tokenId: number }

/**
 * `logProbability` is the model's own, `score` ranks: the sum of log probabilities after the repetition penalty, over
 * length^lengthPenalty. The end id counts in both but is not among `ids`.
 */
export type Hypothesis = { ids: number[]; logProbability: number; score: number; finishReason: 'stop' | 'length' }

/** `sum` is of log probabilities after the repetition penalty. */
type Beam = { ids: number[]; logProbability: number; sum: number }
type Candidate = Fork & { beam: Beam; logProbability: number; sum: number }

export type BeamSearch = ReturnType<typeof createBeamSearch>

/**
 * The rules of transformers 4.33.2, the version that LaVIT pins (beam_search.py, BeamSearchScorer): lengths count a
 * start placeholder, the best 2 x beams candidates of a step are looked at, and an end below the first `numBeams` of
 * them closes nothing.
 */
export function createBeamSearch (rules: BeamRules) {
  const { numBeams, maxTokens, lengthPenalty, earlyStopping, end } = rules
  let beams: Beam[] = [{ ids: [], logProbability: 0, sum: 0 }]
  let hypotheses: Hypothesis[] = [] // best first, numBeams at most
  return { advance, best: (n: number) => hypotheses.slice(0, n) }

  /**
   * Takes the log-probabilities after every running beam (of one row at first). Gives the next beams; none when it is
   * over.
   */
  function advance (logProbabilities: Float32Array[]): Fork[] {
    const candidates = bestCandidates(logProbabilities)
    if (candidates.length === 0) throw new Error('the scores are not finite')
    const forks: Candidate[] = []
    for (const [rank, candidate] of candidates.entries()) {
      if (forks.length === numBeams) break
      const { ids } = candidate.beam
      if (candidate.tokenId !== end) forks.push(candidate)
      else if (rank < numBeams) add({ ...candidate, ids }, ids.length + 1, 'stop')
    }
    const length = (beams[0]?.ids.length ?? 0) + 1
    beams = forks.map(({ beam, tokenId, logProbability, sum }) => ({
      ids: [...beam.ids, tokenId],
      logProbability,
      sum
    }))
    if (isOver(candidates[0]?.sum ?? -Infinity, length)) return []
    if (length === maxTokens || beams.length === 0) {
      for (const beam of beams) add(beam, length + 1, 'length')
      return []
    }
    return forks.map(({ parent, tokenId }) => ({ parent, tokenId }))
  }

  function bestCandidates (rows: Float32Array[]): Candidate[] {
    return beams
      .flatMap((beam, parent) => {
        const logProbabilities = rows[parent] ?? new Float32Array()
        return best(processed(logProbabilities, beam.ids, rules), 2 * numBeams).map(({ id, score }) => ({
          parent,
          beam,
          tokenId: id,
          logProbability: beam.logProbability + (logProbabilities[id] ?? NaN),
          sum: beam.sum + score
        }))
      })
      .sort((a, b) => b.sum - a.sum || a.parent - b.parent || a.tokenId - b.tokenId)
      .slice(0, 2 * numBeams)
  }

  function add ({ ids, logProbability, sum }: Beam, length: number, finishReason: Hypothesis['finishReason']): void {
    hypotheses.push({ ids, logProbability, score: sum / length ** lengthPenalty, finishReason })
    hypotheses = hypotheses.sort((a, b) => b.score - a.score).slice(0, numBeams)
  }

  function isOver (bestSum: number, length: number): boolean {
    const worst = hypotheses[numBeams - 1]
    return worst !== undefined && (earlyStopping || worst.score >= bestSum / (length + 1) ** lengthPenalty)
  }
}
