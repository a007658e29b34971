import t from 'tap'
import { mean, plain, quantile, share } from '../../../evaluate/metrics/bootstrap.ts'

t.test('a share has the interval of its samples', async t => {
  const coins = Array.from({ length: 400 }, (_, i) => i % 2)
  const { value, low, high, samples } = mean(coins, 1)
  t.equal(value, 0.5)
  t.equal(samples, 400)
  // Normal approximation: 1.96 * sqrt(0.25 / 400) = 0.049 to each side.
  t.ok(Math.abs(0.5 - low! - 0.049) < 0.008, `from ${low}`)
  t.ok(Math.abs(high! - 0.5 - 0.049) < 0.008, `to ${high}`)
  t.strictSame(mean(coins, 1), mean(coins, 1), 'by a fixed seed')
  t.notSame(mean(coins, 1), mean(coins, 2))
})

t.test('samples weigh by what they hold', async t => {
  t.equal(share([{ of: 3, right: 3 }, { of: 1, right: 0 }, { of: 0, right: 0 }], 0).value, 0.75)
  const together = share(Array.from({ length: 50 }, (_, i) => ({ of: 8, right: 8 * (i % 2) })), 0)
  const apart = mean(Array.from({ length: 400 }, (_, i) => i % 2), 0)
  t.ok(together.high! - together.low! > 2 * (apart.high! - apart.low!), 'answers that fall together tell less')
})

t.test('too little has a value without an interval, or none', async t => {
  t.strictSame(mean([], 0), plain(null, 0))
  t.strictSame(mean([0.4], 0), plain(0.4, 1))
  t.strictSame(share([{ of: 0, right: 0 }, { of: 0, right: 0 }], 0).value, null)
})

t.test('quantiles lie between values', async t => {
  t.equal(quantile([1, 2, 3, 4, 5], 0.5), 3)
  t.equal(quantile([0, 10], 0.25), 2.5)
  t.equal(quantile([], 0.5), null)
})
