/** Every score in order: for many of the best, where a heap would compare for too long. */

/**
 * The ids of all that is possible (above -Infinity), best first, of equal ones the lower id. Numbers alone are sorted,
 * which needs no function that compares; each id then finds its place among them by bisection.
 */
export function rankedIds (scores: Float32Array | Float64Array): Uint32Array {
  const ascending = Float64Array.from(scores.filter(score => score > -Infinity)).sort()
  const taken = new Uint32Array(ascending.length) // of the places of equal scores, at the last of them
  const ids = new Uint32Array(ascending.length)
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id] ?? NaN
    if (!(score > -Infinity)) continue
    const last = lastPlace(ascending, score)
    const before = taken[last] ?? 0
    taken[last] = before + 1
    ids[ascending.length - 1 - last + before] = id
  }
  return ids
}

/** The last index of a value that is there. */
function lastPlace (ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((ascending[middle] ?? NaN) <= value) low = middle
    else high = middle - 1
  }
  return low
}
