import fc from 'fast-check'
import t from 'tap'
import { createBeamSearch, type BeamRules } from '../../../src/engine/drawing/beam-search.ts'
import { logSoftmax } from '../../fixtures/log-softmax.ts'

const end = 0
const rules: BeamRules = {
  numBeams: 2,
  maxTokens: 3,
  lengthPenalty: 1,
  earlyStopping: false,
  repetitionPenalty: 1,
  minTokens: 0,
  end,
  suppressed: { from: 0, to: 0 }
}
const scoresOf = (...probabilities: number[]) => logSoftmax(probabilities.map(Math.log))

/** Runs a search over a model that gives probabilities for what was drawn so far. */
function search (options: Partial<BeamRules>, model: (ids: number[]) => number[]) {
  const { advance, best } = createBeamSearch({ ...rules, ...options })
  let beams: number[][] = [[]]
  let steps = 0
  while (beams.length > 0) {
    steps++
    beams = advance(beams.map(ids => scoresOf(...model(ids)))).map(({ parent, tokenId }) => [
      ...beams[parent]!,
      tokenId
    ])
  }
  return { steps, hypotheses: best(options.numBeams ?? 2) }
}

t.test('finds what greedy misses', async t => {
  const model = (ids: number[]) =>
    ids.length === 0 ? [0.01, 0.5, 0.49] : ids[0] === 1 ? [0.4, 0.3, 0.3] : [0.98, 0.01, 0.01]
  const { hypotheses } = search({}, model)
  t.strictSame(hypotheses[0]!.ids, [2])
  t.equal(hypotheses[0]!.finishReason, 'stop')
  t.ok(Math.abs(hypotheses[0]!.logProbability - Math.log(0.49 * 0.98)) < 1e-6)
  t.ok(Math.abs(hypotheses[0]!.score - Math.log(0.49 * 0.98) / 2) < 1e-6, 'divided by the tokens with the end')
})

t.test('the repetition penalty ranks, and is no part of the log probability', async t => {
  const { hypotheses } = search({ repetitionPenalty: 3, maxTokens: 2, minTokens: 2 }, () => [0.1, 0.6, 0.3])
  t.strictSame(
    hypotheses.map(({ ids }) => ids),
    [
      [1, 2],
      [2, 1]
    ],
    'not the likeliest token twice'
  )
  const {
    hypotheses: [repeated]
  } = search({ repetitionPenalty: 3, maxTokens: 2, minTokens: 2, suppressed: { from: 2, to: 3 } }, () => [
    0.1, 0.6, 0.3
  ])
  t.strictSame(repeated!.ids, [1, 1])
  t.ok(Math.abs(repeated!.logProbability - 2 * Math.log(0.6)) < 1e-6)
  t.ok(Math.abs(repeated!.score - (4 * Math.log(0.6)) / 3) < 1e-6)
})

t.test('unfinished beams close at the length, divided by one more than their tokens', async t => {
  const { hypotheses } = search({ maxTokens: 2 }, () => [1e-9, 0.6, 0.4])
  t.strictSame(
    hypotheses.map(({ ids, finishReason }) => [ids, finishReason]),
    [
      [[1, 1], 'length'],
      [[1, 2], 'length']
    ]
  )
  t.ok(Math.abs(hypotheses[0]!.score - (2 * Math.log(0.6)) / 3) < 1e-6)
})

t.test('an end below the first beams closes nothing', async t => {
  const { hypotheses } = search({ maxTokens: 1 }, () => [0.2, 0.5, 0.3])
  t.strictSame(
    hypotheses.map(({ ids }) => ids),
    [[1], [2]]
  )
})

t.test('early stopping ends with the hypotheses it has; without it a better one is waited for', async t => {
  const model = (ids: number[]) =>
    ids.length === 0 ? [0.3, 0.6, 0.1] : ids.length === 1 ? [0.2, 0.7, 0.1] : [0.9, 0.05, 0.05]
  const early = search({ earlyStopping: true, lengthPenalty: 0, maxTokens: 9 }, model)
  const late = search({ lengthPenalty: 2, maxTokens: 9 }, model)
  t.ok(early.steps < late.steps)
  t.strictSame(late.hypotheses[0]!.ids, [1, 1])
})

t.test('minimum length and suppression hold', async t => {
  const { hypotheses } = search({ minTokens: 2, suppressed: { from: 1, to: 2 } }, () => [0.5, 0.4, 0.1])
  t.ok(hypotheses.every(({ ids }) => ids.length >= 2 && ids.every(id => id === 2)))
})

t.test('with fewer possible tokens than beams there are fewer beams', async t => {
  const { hypotheses } = search({ numBeams: 3, minTokens: 2, maxTokens: 2, suppressed: { from: 1, to: 2 } }, () => [
    0.5, 0.4, 0.1
  ])
  t.strictSame(
    hypotheses.map(({ ids }) => ids),
    [[2, 2]]
  )
})

t.test('as wide as the tree, it finds the best of all sequences', async t => {
  const distribution = fc.array(fc.double({ min: 0.05, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  fc.assert(
    fc.property(fc.array(distribution, { minLength: 7, maxLength: 7 }), table => {
      const model = (ids: number[]) => table[ids.reduce((node, id) => node * 2 + id, 0)]!
      const { hypotheses } = search({ numBeams: 8, maxTokens: 3, lengthPenalty: 0, minTokens: 3 }, model)
      const sums: number[] = []
      for (const a of [1, 2]) {
        for (const b of [1, 2]) {
          for (const c of [1, 2]) {
            sums.push([[], [a], [a, b]].reduce((sum, ids, i) => sum + scoresOf(...model(ids))[[a, b, c][i]!]!, 0))
          }
        }
      }
      return Math.abs(hypotheses[0]!.logProbability - Math.max(...sums)) < 1e-6
    }),
    { numRuns: 200 }
  )
  t.pass()
})
