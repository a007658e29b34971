/** What is told of many figures: percentiles, medians with their spread, a line through them, and when to send. */

/** The smallest value that this share of all does not exceed (nearest rank); NaN for none. */
export function percentile (values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? NaN
}

export type Spread = { median: number; least: number; most: number }

/** Median with the least and the most; of an even count the mean of the two in the middle. */
export function spreadOf (values: number[]): Spread {
  const sorted = Float64Array.from(values).sort()
  const half = sorted.length >> 1
  const upper = sorted[half] ?? NaN
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? NaN)) / 2
  return { median, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN }
}

/** Times of a Poisson process, `rate` a second, below `seconds`. `uniform` draws from 0..1, 1 excluded. */
export function poissonTimes (rate: number, seconds: number, uniform: () => number): number[] {
  const times: number[] = []
  for (let at = gap(); at < seconds; at += gap()) times.push(at)
  return times

  function gap () {
    return -Math.log(1 - uniform()) / rate
  }
}

export type Line = { slope: number; intercept: number; standardError: number }

/** The line of least squares, and the standard error of its slope, which needs three points. */
export function lineThrough (points: [x: number, y: number][], weightOf = (_y: number) => 1): Line {
  const total = points.reduce((sum, [, y]) => sum + weightOf(y), 0)
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + weightOf(point[1]) * point[axis], 0) / total
  const [meanX, meanY] = [mean(0), mean(1)]
  const squares = points.reduce((sum, [x, y]) => sum + weightOf(y) * (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + weightOf(y) * (x - meanX) * (y - meanY), 0) / squares
  const residuals = points.reduce((sum, [x, y]) => sum + weightOf(y) * (y - meanY - slope * (x - meanX)) ** 2, 0)
  const standardError = Math.sqrt(residuals / (points.length - 2) / squares)
  return { slope, intercept: meanY - slope * meanX, standardError }
}

/** The line of which the points lie off by the least shares of themselves (squared). */
export function lineInShares (points: [x: number, y: number][]): Line {
  return lineThrough(points, y => 1 / y ** 2)
}
