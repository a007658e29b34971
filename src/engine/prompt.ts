/** A prompt in the language model's terms, laid out of segments and what was seen of their pictures. */
import type { Manifest } from '../package/manifest.ts'
import type { Segment } from '../pipe/work.ts'
import type { Seen } from './stations/encode.ts'

/** Tokens of a context, in order. At `places` (ascending) the rows of `embeddings` stand in for the ids'. */
export type Prompt = { tokenIds: number[]; places: number[]; embeddings: Float32Array }

/** Ids as they stand, features as embeddings, codes as visual ids. `seen` holds one for each picture, in order. */
export function layOut (
  segments: Segment[],
  seen: Seen[],
  { ids, language_model: { hidden_size: hiddenSize } }: Manifest
): Prompt {
  const tokenIds: number[] = []
  const places: number[] = []
  const embeddings: Float32Array[] = []
  let next = 0
  for (const segment of segments) {
    if (segment.kind === 'ids') {
      tokenIds.push(...segment.ids)
      continue
    }
    const picture = seen[next++]!
    if (segment.kind === 'codes') {
      tokenIds.push(...picture.codes.map(code => code + ids.visual_offset))
      continue
    }
    embeddings.push(picture.embeddings)
    for (let row = 0; row < picture.embeddings.length / hiddenSize; row++) places.push(tokenIds.push(0) - 1)
  }
  return { tokenIds, places, embeddings: concatenated(embeddings) }
}

/** What the answer's usage says of the prompt: kept patches and visual ids, and text ids. */
export function usageOf (
  segments: Segment[],
  seen: Seen[],
  { ids }: Manifest
): { visualTokens: number; promptTokens: number } {
  const given = segments.flatMap(segment => (segment.kind === 'ids' ? segment.ids : []))
  const kept = seen.reduce((sum, { keepMask }) => sum + keepMask.filter(Boolean).length, 0)
  return {
    visualTokens: kept + given.filter(id => id >= ids.visual_offset).length,
    promptTokens: given.filter(id => id < ids.image_start).length
  }
}

function concatenated (arrays: Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const array of arrays) {
    all.set(array, offset)
    offset += array.length
  }
  return all
}
