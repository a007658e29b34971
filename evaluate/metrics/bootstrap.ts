/** Figures with a 95 % interval: the samples are drawn again, with replacement, by a fixed seed. */
import { createRandom } from '../../src/engine/drawing/random.ts'

/** A measured value, its 95 % interval where there is one, and how many samples it stands on. */
export type Figure = { value: number | null; low: number | null; high: number | null; samples: number }

/** What one sample adds to a share: right answers of given ones, or a score of one. */
export type Part = { of: number; right: number }

const resamplings = 1000

/**
 * The sum of `right` over the sum of `of`, with the percentile interval over samples. A sample is what was drawn
 * independently (a picture with all its questions), so that answers about one picture do not count as independent.
 */
export function share (parts: Part[], seed: number): Figure {
  const value = ratio(parts)
  if (value === null || parts.length < 2) return { value, low: null, high: null, samples: parts.length }
  const values = resample(parts.length, resamplings, seed, places => ratio(places.map(place => parts[place]!)))
  return { value, low: quantile(values, 0.025), high: quantile(values, 0.975), samples: parts.length }
}

/** The mean of scores, one for each sample. */
export function mean (scores: number[], seed: number): Figure {
  return share(
    scores.map(right => ({ right, of: 1 })),
    seed
  )
}

/** A value without an interval: an extreme, or a figure too costly to draw again. */
export function plain (value: number | null, samples: number): Figure {
  return { value, low: null, high: null, samples }
}

/** The statistic of `times` samples of `count` places drawn with replacement, ascending; undefined ones fall out. */
export function resample (
  count: number,
  times: number,
  seed: number,
  statistic: (places: number[]) => number | null
): number[] {
  const random = createRandom(seed, 'selection')
  const values: number[] = []
  for (let i = 0; i < times; i++) {
    const value = statistic(Array.from({ length: count }, () => Math.floor(random.uniform() * count)))
    if (value !== null) values.push(value)
  }
  return values.sort((a, b) => a - b)
}

/** Of ascending values, by linear interpolation; `null` of none. */
export function quantile (values: number[], at: number): number | null {
  if (values.length === 0) return null
  const place = at * (values.length - 1)
  const below = values[Math.floor(place)]!
  return below + (place % 1) * (values[Math.ceil(place)]! - below)
}

function ratio (parts: Part[]): number | null {
  let right = 0
  let of = 0
  for (const part of parts) {
    right += part.right
    of += part.of
  }
  return of === 0 ? null : right / of
}
