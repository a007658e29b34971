/** Which patches of a picture stay, from the probabilities that the vision graph gives. */
import type { Selection } from '../../pipe/work.ts'
import { createRandom } from './random.ts'

/**
 * The keep mask, one place for each patch. `threshold` keeps what is at least as probable as asked; `sample` keeps each
 * patch by an independent draw, as the paper does. The best-scored `minVisualTokens` always stay (`least` where the
 * model's own minimum is more), and no more than the best-scored `maxVisualTokens` do (at least the minimum). Of equal
 * scores the earlier patch is the better.
 */
export function selectPatches (
  keepProbabilities: Float32Array,
  { rule, keepThreshold, seed, minVisualTokens = 0, maxVisualTokens = Infinity }: Selection,
  least: number
): boolean[] {
  const minimum = Math.max(least, minVisualTokens)
  const random = createRandom(seed, 'selection')
  const patches = Array.from(keepProbabilities, (probability, patch) => ({
    patch,
    probability,
    isWanted: rule === 'sample' ? random.uniform() < probability : probability >= keepThreshold
  }))
  const bestFirst = patches.toSorted((a, b) => b.probability - a.probability || a.patch - b.patch)
  const candidates = bestFirst.filter(({ isWanted }, rank) => isWanted || rank < minimum)
  const kept = new Set(candidates.slice(0, Math.max(minimum, maxVisualTokens)))
  return patches.map(each => kept.has(each))
}
