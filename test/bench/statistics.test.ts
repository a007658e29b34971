import t from 'tap'
import { percentile, poissonTimes, lineInShares, lineThrough, spreadOf } from '../../bench/statistics.ts'
import { createRandom } from '../../src/engine/drawing/random.ts'

const values = [7.5, 1.25, 3, 9, 4, 4.5, 12, 0.5, 2, 6, 8]

t.test('percentiles are those of NumPy with method="inverted_cdf"', async t => {
  t.strictSame(
    [0.5, 0.9, 0.99, 1, 0.001].map(share => percentile(values, share)),
    [4.5, 9, 12, 12, 0.5]
  )
  t.strictSame(values[0], 7.5, 'the values stay in their order')
  t.ok(Number.isNaN(percentile([], 0.5)))
})

t.test('a median has the least and the most beside it', async t => {
  t.strictSame(spreadOf(values), { median: 4.5, least: 0.5, most: 12 })
  t.strictSame(spreadOf(values.slice(0, 10)).median, 4.25)
})

const points: [number, number][] = [
  [1, 2.1],
  [2, 2.9],
  [3, 4.2],
  [5, 4.8],
  [8, 9.1],
  [13, 12.7],
  [21, 22.4]
]

t.test('slope and standard error are those of numpy.linalg.lstsq and its residuals', async t => {
  const { slope, intercept, standardError } = lineThrough(points)
  t.ok(Math.abs(slope - 1.0013748854262141) < 1e-12)
  t.ok(Math.abs(intercept - 0.7324472960586639) < 1e-12)
  t.ok(Math.abs(standardError - 0.043109941246247827) < 1e-12)
})

t.test('the line in shares is that of numpy.linalg.lstsq where both sides are divided by y', async t => {
  const { slope, intercept } = lineInShares(points)
  t.ok(Math.abs(slope - 0.9120532254332477) < 1e-12)
  t.ok(Math.abs(intercept - 1.1247788799467564) < 1e-12)
})

t.test('Poisson times have the rate, and gaps as wide as they are spread', async t => {
  const times = poissonTimes(50, 200, createRandom(7, 'tokens').uniform)
  t.ok(times.every((time, i) => time < 200 && time > (times[i - 1] ?? 0)))
  t.ok(Math.abs(times.length - 10_000) < 400, 'within four standard deviations of the count')
  const gaps = times.map((time, i) => time - (times[i - 1] ?? 0))
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length
  t.ok(Math.abs(Math.sqrt(variance) / mean - 1) < 0.05, 'exponential gaps')
})

t.test('the same seed gives the same times', async t => {
  const times = () => poissonTimes(10, 5, createRandom(3, 'tokens').uniform)
  t.strictSame(times(), times())
})
