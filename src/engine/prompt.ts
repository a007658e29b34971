/** A prompt in the language model's terms, laid out of segments and what was seen of their pictures. */
import type { Manifest } from '../package/manifest.ts'
import type { Segment } from '../pipe/work.ts'
import type { Seen } from './stations/encode.ts'

/**
 * Tokens of a context, in order. At `places` (ascending) the rows of `embeddings` stand in for the ids'. A prompt that
 * begins with a picture is read in two pieces, so that the first can be kept for others, and has the same bits then.
 */
export type Prompt = { tokenIds: number[]; places: number[]; embeddings: Float32Array; prefix?: Prefix }

/** The first `length` tokens; `name` says what they are, where the picture has one. */
export type Prefix = { length: number; name?: string }

/** Ids as they stand, features as embeddings, codes as visual ids. `seen` holds one for each picture, in order. */
export function layOut (
  segments: Segment[],
  seen: Seen[],
  manifest: Manifest
): Prompt {
  const { ids, language_model: { hidden_size: hiddenSize } } = manifest
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
  const prefix = prefixOf(segments, seen, manifest)
  return { tokenIds, places, embeddings: concatenated(embeddings), ...(prefix && { prefix }) }
}

/** Image start, the picture that the prompt begins with, and image end. */
function prefixOf (
  [before, picture, after]: Segment[],
  [seen]: Seen[],
  { ids }: Manifest
): Prefix | undefined {
  if (before?.kind !== 'ids' || picture === undefined || picture.kind === 'ids' || seen === undefined) return
  if (before.ids.length !== 1 || before.ids[0] !== ids.image_start) return
  const isClosed = after?.kind === 'ids' && after.ids[0] === ids.image_end
  const { keepMask } = seen
  const length = 1 + keepMask.filter(Boolean).length + Number(isClosed)
  const { ref } = picture.picture
  if (ref === undefined) return { length }
  return { length, name: `${ref} ${picture.kind} ${keepMask.map(Number).join('')} ${isClosed}` }
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
