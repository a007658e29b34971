// covers: src/engine/drawing/ranked.ts src/engine/drawing/selector.ts
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../../src/engine/drawing/random.ts'
import {
  best,
  candidatesOf,
  drawToken,
  guide,
  processScores,
  type Scores
} from '../../../src/engine/drawing/sampler.ts'
import { anyScores } from '../../fixtures/arbitraries.ts'
import { logSoftmax } from '../../fixtures/log-softmax.ts'
import { selectPatches } from '../../../src/engine/drawing/selector.ts'

/** All ids, without guidance. */
const dense = (logits: ArrayLike<number>): Scores => {
  const logProbabilities = logSoftmax(logits)
  return { scores: logProbabilities, logProbabilities }
}
const plain = {
  temperature: 1,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  minTokens: 0,
  end: 0,
  suppressed: { from: 0, to: 0 }
}

t.test('candidates', async t => {
  t.test('top-k leaves k, and none better outside', async t => {
    fc.assert(
      fc.property(anyScores, fc.integer({ min: 1, max: 10 }), (scores, topK) => {
        const ids = candidatesOf(scores, { ...plain, topK }).map(({ id }) => id)
        const worst = Math.min(...ids.map(id => scores[id]!))
        return (
          ids.length === Math.min(topK, scores.length) &&
          new Set(ids).size === ids.length &&
          scores.every((score, id) => ids.includes(id) || score <= worst)
        )
      }),
      { numRuns: 1000 }
    )
    t.pass()
  })

  t.test('top-p leaves the fewest that hold p', async t => {
    fc.assert(
      fc.property(anyScores, fc.double({ min: 0.05, max: 0.99, noNaN: true }), (scores, topP) => {
        const all = logSoftmax(Float32Array.from(scores)).map(Math.exp)
        const ids = candidatesOf(scores, { ...plain, topP }).map(({ id }) => id)
        const held = ids.reduce((sum, id) => sum + all[id]!, 0)
        return held > topP - 1e-5 && held - all[ids.at(-1)!]! < topP + 1e-5
      }),
      { numRuns: 1000 }
    )
    t.pass()
  })

  t.test('temperature towards 0 is argmax', async t => {
    fc.assert(
      fc.property(anyScores, fc.maxSafeNat(), (scores, seed) => {
        const logits = Float32Array.from(scores, (x, i) => Math.round(x) + i / 100)
        const draw = (temperature: number) =>
          drawToken(dense(logits), {
            drawn: [],
            rules: { ...plain, temperature },
            random: createRandom(seed, 'tokens')
          }).tokenId
        return draw(0) === draw(1e-6) && logits.every(x => x <= logits[draw(0)]!)
      }),
      { numRuns: 500 }
    )
    t.pass()
  })

  t.test('best gives the same as sorting, of very many too, equal and impossible ones among them', async t => {
    const scores = Float64Array.from({ length: 40_000 }, (_, id) => (id % 7 === 0 ? -Infinity : -((id * 7919) % 3001)))
    const sorted = [...scores]
      .map((score, id) => ({ id, score }))
      .filter(({ score }) => score > -Infinity)
      .sort((a, b) => b.score - a.score || a.id - b.id)
    for (const count of [2048, 16_384, 16_385, 34_285, 34_286, 40_000]) {
      t.strictSame(best(scores, count), sorted.slice(0, count), `${count} of them`)
    }
  })

  t.test('best gives the same as sorting', async t => {
    fc.assert(
      fc.property(anyScores, fc.integer({ min: 1, max: 50 }), (scores, count) => {
        const sorted = Array.from(scores.keys())
          .sort((a, b) => scores[b]! - scores[a]! || a - b)
          .slice(0, count)
        return (
          best(scores, count)
            .map(({ id }) => id)
            .join() === sorted.join()
        )
      }),
      { numRuns: 1000 }
    )
    t.pass()
  })
})

t.test('drawing', async t => {
  t.test('suppressed ids never appear, the end not before the minimum', async t => {
    fc.assert(
      fc.property(
        anyScores,
        fc.record({
          seed: fc.maxSafeNat(),
          from: fc.nat(2),
          topK: fc.constantFrom(0, 2),
          topP: fc.constantFrom(0.3, 1),
          temperature: fc.constantFrom(0, 1, 9)
        }),
        (scores, { seed, from, ...how }) => {
          const rules = { ...plain, ...how, suppressed: { from, to: 4 }, minTokens: 1, end: 4 }
          const { tokenId } = drawToken(dense(scores), { drawn: [], rules, random: createRandom(seed, 'tokens') })
          return tokenId !== 4 && (tokenId < from || tokenId > 4)
        }
      ),
      { numRuns: 1000 }
    )
    t.pass()
  })

  t.test('follows the distribution', async t => {
    const random = createRandom(7, 'tokens')
    const counts = [0, 0, 0]
    for (let i = 0; i < 20_000; i++) {
      counts[
        drawToken(dense([Math.log(0.2), Math.log(0.5), Math.log(0.3)]), { drawn: [], rules: plain, random }).tokenId
      ]!++
    }
    for (const [i, share] of [0.2, 0.5, 0.3].entries()) t.ok(Math.abs(counts[i]! / 20_000 - share) < 0.015)
  })

  t.test('tells the log probability of the model itself, before guidance and processors', async t => {
    const logProbabilities = logSoftmax([0, 0, Math.log(2)])
    const scores = guide(logProbabilities, logSoftmax([5, 0, 5]), 3)
    const rules = { ...plain, temperature: 0, repetitionPenalty: 5 }
    const choice = drawToken({ scores, logProbabilities }, { drawn: [2], rules, random: createRandom(1, 'tokens') })
    t.equal(choice.tokenId, 1)
    t.ok(Math.abs(choice.logProbability - Math.log(0.25)) < 1e-6)
  })

  t.test('refuses scores that are no distribution', async t => {
    const scores = Float32Array.of(NaN, NaN)
    const how = { drawn: [], rules: plain, random: createRandom(1, 'tokens') }
    t.throws(() => drawToken({ scores, logProbabilities: scores }, how), /not finite/)
    t.throws(() => drawToken({ ids: [4, 2], scores, logProbabilities: scores }, how), /not finite/)
  })

  t.test('from the best candidates as from all scores', async t => {
    const how = fc.record({
      temperature: fc.constantFrom(0, 0.5, 2),
      topK: fc.integer({ min: 1, max: 6 }),
      topP: fc.constantFrom(0.4, 1),
      seed: fc.nat()
    })
    fc.assert(
      fc.property(anyScores, how, (scores, { seed, ...rest }) => {
        const rules = { ...plain, ...rest, suppressed: { from: 0, to: 2 } }
        const all = dense(scores)
        const ids = best(Float64Array.from(all.scores).fill(-Infinity, 0, 2), 6).map(({ id }) => id)
        const few = Float32Array.from(ids, id => all.scores[id]!)
        const draw = (from: Scores) => drawToken(from, { drawn: [], rules, random: createRandom(seed, 'tokens') })
        return JSON.stringify(draw(all)) === JSON.stringify(draw({ ids, scores: few, logProbabilities: few }))
      }),
      { numRuns: 1000 }
    )
    t.pass()
  })
})

t.test('processors', async t => {
  const scores = Float64Array.of(2, -2, 1, 1, 0)
  processScores(scores, [0, 1, 1], { repetitionPenalty: 2, minTokens: 4, end: 4, suppressed: { from: 3, to: 4 } })
  t.strictSame(Array.from(scores), [1, -4, 1, -Infinity, -Infinity])
  t.strictSame(Array.from(guide(Float32Array.of(-1, -2), Float32Array.of(-2, -1), 4)), [2, -5])
})

t.test('random', async t => {
  t.test('the same seed and purpose give the same draws, others give others', async t => {
    const draws = (seed: number, purpose: 'tokens' | 'noise') =>
      Array.from({ length: 4 }, createRandom(seed, purpose).uniform).join()
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        const first = draws(a, 'tokens')
        return (
          draws(a, 'tokens') === first && draws(a, 'noise') !== first && (draws(b, 'tokens') === first) === (a === b)
        )
      })
    )
    t.pass()
  })

  t.test('gaussian has mean 0 and variance 1', async t => {
    const random = createRandom(3, 'noise')
    const values = Array.from({ length: 20_000 }, random.gaussian)
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    t.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05)
  })
})

t.test('selection of patches', async t => {
  const select = (probabilities: number[], options: object, least = 0) =>
    selectPatches(
      Float32Array.from(probabilities),
      { rule: 'threshold', keepThreshold: 0.5, seed: 1, ...options },
      least
    )
      .map(Number)
      .join('')

  const cases: [string, number[], object, number, string][] = [
    ['at least the threshold', [0.5, 0.49, 0.9], {}, 0, '101'],
    ['the best-scored always', [0.1, 0.2, 0.3], {}, 2, '011'],
    ['at most so many', [0.9, 0.6, 0.8], { maxVisualTokens: 2 }, 0, '101'],
    ['the earlier of equals', [0.9, 0.9, 0.9], { maxVisualTokens: 2 }, 0, '110'],
    ['the minimum before the maximum', [0.9, 0.6, 0.8], { maxVisualTokens: 1 }, 2, '101'],
    ['at least so many', [0.1, 0.9, 0.3], { minVisualTokens: 2 }, 0, '011'],
    ['exactly so many, of more', [0.9, 0.6, 0.8], { minVisualTokens: 2, maxVisualTokens: 2 }, 0, '101'],
    ['exactly so many, of fewer', [0.1, 0.2, 0.3], { minVisualTokens: 2, maxVisualTokens: 2 }, 1, '011'],
    ['exactly so many of a draw', [0, 0, 1], { rule: 'sample', minVisualTokens: 2, maxVisualTokens: 2 }, 0, '101'],
    ['the more of two minima', [0.1, 0.2, 0.3], { minVisualTokens: 1 }, 2, '011'],
    ['all at threshold 0', [0, 0, 0], { keepThreshold: 0 }, 0, '111'],
    ['certain ones in a draw', [1, 0, 1], { rule: 'sample' }, 0, '101']
  ]
  for (const [name, probabilities, options, least, expected] of cases) {
    t.equal(select(probabilities, options, least), expected, name)
  }

  t.test('a draw keeps each patch with its own probability', async t => {
    const kept = Array.from({ length: 4000 }, (_, seed) => select([0.2, 0.7], { rule: 'sample', seed }))
    t.ok(Math.abs(kept.filter(mask => mask[0] === '1').length / 4000 - 0.2) < 0.03)
    t.ok(Math.abs(kept.filter(mask => mask === '11').length / 4000 - 0.14) < 0.03)
  })
})
