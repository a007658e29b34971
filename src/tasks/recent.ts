/** What was seen lately, and what is to be expected after it: a median, and what went with something alike. */

const mostValues = 31
const mostPairs = 128
const neighbours = 7

export type Recent = ReturnType<typeof createRecent>
export type Trend = ReturnType<typeof createTrend>

export function createRecent () {
  const values: number[] = []
  let median: number | undefined
  return {
    add (value: number): void {
      values.push(value)
      if (values.length > mostValues) values.shift()
      median = undefined
    },

    /** Nothing where nothing was seen. */
    median: () => (median ??= medianOf(values))
  }
}

/** How y goes with x, whatever way it goes: the median y of those whose x was nearest. */
export function createTrend () {
  const pairs: { x: number; y: number }[] = []
  return {
    add (x: number, y: number): void {
      pairs.push({ x, y })
      if (pairs.length > mostPairs) pairs.shift()
    },

    /** The y to be expected, of all where x is not known. Nothing where nothing was seen. */
    at (x: number | undefined): number | undefined {
      if (x === undefined) return medianOf(pairs.map(({ y }) => y))
      const nearest = pairs.toSorted((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x)).slice(0, neighbours)
      return medianOf(nearest.map(({ y }) => y))
    }
  }
}

function medianOf (values: number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}
