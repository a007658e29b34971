/** Which patches of a picture stay: what the request asks for, over the model's own rule. */
import { invalidField } from '../errors.ts'
import type { Selection } from '../pipe/work.ts'
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'
import type { PictureOptions } from '../schemas/options.ts'

/**
 * How the patches of a picture are chosen: the request's options over the model's rule. A threshold asks for its rule.
 */
export function selectionOptions (
  manifest: Manifest,
  request: PictureOptions,
  seed: number
): Selection {
  const {
    selection,
    keep_threshold: keepThreshold,
    min_visual_tokens: minVisualTokens,
    max_visual_tokens: maxVisualTokens
  } = request
  const { selection: modelRule, min_visual_tokens: least } = manifest.visual_tokenizer
  const patches = patchesOf(manifest)
  if (maxVisualTokens !== undefined && maxVisualTokens < least) {
    throw invalidField('/max_visual_tokens', `must be >= ${least} for this model`)
  }
  if (minVisualTokens !== undefined && minVisualTokens > patches) {
    throw invalidField('/min_visual_tokens', `must be <= ${patches} for this model`)
  }
  if (minVisualTokens !== undefined && maxVisualTokens !== undefined && minVisualTokens > maxVisualTokens) {
    throw invalidField('/min_visual_tokens', `must be <= max_visual_tokens (${maxVisualTokens})`)
  }
  return {
    rule: selection ?? (keepThreshold === undefined ? modelRule : 'threshold'),
    keepThreshold: keepThreshold ?? 0.5,
    seed,
    ...(minVisualTokens !== undefined && { minVisualTokens }),
    ...(maxVisualTokens !== undefined && { maxVisualTokens })
  }
}
