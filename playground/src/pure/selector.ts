/** Which patches of a picture stay, in the browser: the rule `threshold` of `src/engine/drawing/selector.ts`. */

export type Choice = { keepThreshold: number; minVisualTokens: number; maxVisualTokens: number }

/**
 * The keep mask, one place for each patch. What is at least as probable as asked stays; the best-scored
 * `minVisualTokens` (`least` where the model's own minimum is more) always do, and no more than the best-scored
 * `maxVisualTokens`. Of equal scores the earlier patch is the better.
 */
export function keepMask (
  probabilities: readonly number[],
  { keepThreshold, minVisualTokens, maxVisualTokens }: Choice,
  least: number
): boolean[] {
  const minimum = Math.max(least, minVisualTokens)
  const ranks = ranksOf(probabilities)
  const wanted = probabilities.filter(probability => probability >= keepThreshold).length
  // what is wanted stands first in the ranking, so its length says all
  const count = Math.min(Math.max(wanted, minimum), Math.max(minimum, maxVisualTokens))
  return ranks.map(rank => rank < count)
}

/** The place of each patch in the ranking, 0 for the best. */
function ranksOf (probabilities: readonly number[]): number[] {
  const bestFirst = probabilities
    .map((probability, patch) => ({ probability, patch }))
    .toSorted((a, b) => b.probability - a.probability || a.patch - b.patch)
  const ranks = new Array<number>(probabilities.length).fill(0)
  for (const [rank, { patch }] of bestFirst.entries()) ranks[patch] = rank
  return ranks
}
