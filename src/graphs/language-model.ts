/**
 * The decoder-only transformer without its heads: one graph reads prompts (several rows of several tokens) or takes a
 * decode step (one token each).
 */
import { createRoom, type Room } from './room.ts'
import { floats, MisfitError, sizeOf, type Input, type Session } from './session.ts'
import { checkSize } from './sizes.ts'
import type { Manifest } from '../package/manifest.ts'

/** The cached keys and values of B rows, as views of the cache's slab. */
export type CacheView = {
  rows: number // B
  places: number // P, how many of each row are looked at
  bias: Float32Array // [B, P]: 0 where written, -1e9 where not
  keys: Float32Array[] // per layer [B, kv_heads, head_dim, P]
  values: Float32Array[] // per layer [B, kv_heads, P, head_dim]
}

/** T new tokens for each of B rows, row-major. */
export type NewTokens = {
  count: number // T
  tokenIds: number[] // [B, T]
  positions: number[] // [B, T], 0-based place of each in its sequence; a token is blind to those of a higher one
  /**
   * Places among the B x T whose embedding stands in for the id's, and those embeddings in the same order, [places,
   * hidden_size].
   */
  embedded?: { places: number[]; embeddings: Float32Array }
}

/** That of a single new token for each row holds until the next one. */
export type Step = {
  states: Float32Array // [B, hidden_size], after the last new token
  newKeys: Float32Array[] // per layer [B, kv_heads, head_dim, T]
  newValues: Float32Array[] // per layer [B, kv_heads, T, head_dim]
}

export type LanguageModel = ReturnType<typeof createLanguageModel>

/** Throws a MisfitError where the graph has other layers, or as many of another shape, than the manifest says. */
export function createLanguageModel (session: Session, { language_model: shape }: Pick<Manifest, 'language_model'>) {
  const { layers, kv_heads: heads, head_dim: headDim, hidden_size: hiddenSize } = shape
  const layerIndices = Array.from({ length: layers }, (_, i) => i)
  const rooms = new Map<string, Room>() // for the outputs of steps
  const found = session.inputNames.filter(name => name.startsWith('cache_keys.')).length
  if (found !== layers) {
    throw new MisfitError(`the graph language_model has ${found} layers, the manifest says ${layers}`)
  }
  checkSize('language_model', session, 'states', hiddenSize, { field: 'language_model.hidden_size' })
  for (const i of layerIndices) {
    checkSize('language_model', session, `new_keys.${i}`, heads, { axis: 1, field: 'language_model.kv_heads' })
    checkSize('language_model', session, `new_keys.${i}`, headDim, { axis: 2, field: 'language_model.head_dim' })
  }
  return {
    async run (tokens: NewTokens, { rows, places, bias, keys, values }: CacheView): Promise<Step> {
      const inputs: Record<string, Input> = {
        ...tokenInputs(tokens, rows, hiddenSize),
        cache_bias: { type: 'float32', data: bias, dims: [rows, places] }
      }
      for (const [i, data] of keys.entries()) {
        inputs[`cache_keys.${i}`] = { type: 'float32', data, dims: [rows, heads, headDim, places] }
      }
      for (const [i, data] of values.entries()) {
        inputs[`cache_values.${i}`] = { type: 'float32', data, dims: [rows, heads, places, headDim] }
      }
      const outputs = await session.run(inputs, tokens.count === 1 ? roomFor(rows) : undefined)
      return {
        states: floats(outputs, 'states'),
        newKeys: layerIndices.map(i => floats(outputs, `new_keys.${i}`)),
        newValues: layerIndices.map(i => floats(outputs, `new_values.${i}`))
      }
    }
  }

  function roomFor (rows: number): Record<string, Input> {
    const places: Record<string, Input> = { states: place('states', [rows, hiddenSize]) }
    for (const i of layerIndices) {
      places[`new_keys.${i}`] = place(`new_keys.${i}`, [rows, heads, headDim, 1])
      places[`new_values.${i}`] = place(`new_values.${i}`, [rows, heads, 1, headDim])
    }
    return places
  }

  function place (name: string, dims: number[]): Input {
    const room = rooms.get(name) ?? createRoom()
    rooms.set(name, room)
    return { type: 'float32', data: room(sizeOf(dims)), dims }
  }
}

/** `isSpare`: where there are no embeddings, one stands for all, so that fewer bytes go to a device. */
export function tokenInputs (
  { count, tokenIds, positions, embedded }: NewTokens,
  rows: number,
  hiddenSize: number,
  isSpare = false
): Record<string, Input> {
  const hasNone = isSpare && embedded === undefined
  const embeddings = new Float32Array(hasNone ? hiddenSize : rows * count * hiddenSize)
  const isEmbedding = new Uint8Array(rows * count)
  if (embedded) {
    for (const [i, place] of embedded.places.entries()) {
      embeddings.set(embedded.embeddings.subarray(i * hiddenSize, (i + 1) * hiddenSize), place * hiddenSize)
      isEmbedding[place] = 1
    }
  }
  const dims = [rows, count]
  return {
    token_ids: { type: 'int64', data: BigInt64Array.from(tokenIds, BigInt), dims },
    embeddings: { type: 'float32', data: embeddings, dims: hasNone ? [1, 1, hiddenSize] : [...dims, hiddenSize] },
    is_embedding: { type: 'bool', data: isEmbedding, dims },
    positions: { type: 'int64', data: BigInt64Array.from(positions, BigInt), dims }
  }
}
