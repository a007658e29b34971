/**
 * Kernel distance between features of painted pictures and of the true ones (KID, Bińkowski et al. 2018, arXiv
 * 1801.01401):
 * the squared maximum mean discrepancy under k(x, y) = (x·y / dim + 1)^3. Unlike the Fréchet distance its expectation
 * does
 * not depend on the number of pictures, so it tells something of a hundred, too.
 */
import type { Figure } from './bootstrap.ts'

/**
 * Row i of both sets belongs to one prompt, and such a pair is never compared with itself, so that likeness by the
 * prompt
 * alone does not count. The interval is 1.96 jackknife deviations: samples drawn twice would bias the estimate.
 */
export function kernelDistance (ours: ArrayLike<number>[], truth: ArrayLike<number>[]): Figure {
  const count = ours.length
  const sums = new Float64Array(count) // of each row against all the others
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const gap =
        kernel(ours[i]!, ours[j]!) +
        kernel(truth[i]!, truth[j]!) -
        kernel(ours[i]!, truth[j]!) -
        kernel(ours[j]!, truth[i]!)
      sums[i]! += gap
      sums[j]! += gap
    }
  }
  const total = sums.reduce((a, b) => a + b, 0)
  if (count < 2) return { value: null, low: null, high: null, samples: count }
  const value = total / (count * (count - 1))
  if (count < 3) return { value, low: null, high: null, samples: count }
  const without = sums.map(sum => (total - 2 * sum) / ((count - 1) * (count - 2)))
  const middle = without.reduce((a, b) => a + b, 0) / count
  const deviation = Math.sqrt(((count - 1) / count) * without.reduce((sum, each) => sum + (each - middle) ** 2, 0))
  return { value, low: value - 1.96 * deviation, high: value + 1.96 * deviation, samples: count }
}

function kernel (x: ArrayLike<number>, y: ArrayLike<number>): number {
  let product = 0
  for (let i = 0; i < x.length; i++) product += x[i]! * y[i]!
  return (product / x.length + 1) ** 3
}
