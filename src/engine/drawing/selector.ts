/** Which patches of a picture stay, from the probabilities that the vision graph gives. */
import type { Selection } from '../../pipe/work.ts'
import { createRandom } from './random.ts'

/**
 * The keep mask, one place for each patch. `threshold` keeps what is at least as probable as asked; `sample` keeps each
 * patch by an independent draw, as the paper does. The best-scored `minVisualTokens` always stay (`least` where
 * the model's own minimum is more), and no more than the best-scored `maxVisualTokens` do (at least the minimum). Of equal scores the earlier patch is the better.
 */
export function selectPatches (keepProbabilities: Float32Array, { rule, keepThreshold, seed, minVisualTokens = 0, maxVisualTokens = Infinity }: Selection, least: number): boolean[] {
  const minimum = Math.max(least, minVisualTokens)
  const random = createRandom(seed, 'selection')
  const wanted = Array.from(keepProbabilities, probability => rule === 'sample' ? random.uniform() < probability : probability >= keepThreshold)
  const bestFirst = Array.from(keepProbabilities.keys()).sort((a, b) => keepProbabilities[b]! - keepProbabilities[a]! || a - b)
  const always = new Set(bestFirst.slice(0, minimum))
  const candidates = bestFirst.filter(patch => wanted[patch] || always.has(patch))
  const kept = new Set(candidates.slice(0, Math.max(minimum, maxVisualTokens)))
  return wanted.map((_, patch) => kept.has(patch))
}
