/** Keys and values of many sequences, a row each, wherever they lie. */
import type { NewTokens } from './language-model.ts'
import type { DeviceTensor } from './session.ts'

export const hidden = -1e9 // added to the scores of places not written

export type KvStoreShape = {
  rows: number
  layers: number
  kvHeads: number
  headDim: number
  hiddenSize: number
  maxLength: number
}

/** What comes after a row's last token, for the heads, [hidden_size]: numbers, or a row of a tensor on the device. */
export type State = Float32Array | { tensor: DeviceTensor; row: number }

/** All places of a row, copied out of every slab. */
export type SavedRow = { length: number; slabs: Float32Array[] }

export type KvStore = {
  /** Where rows lie in the memory of the host they can be copied out, and any that lie side by side read together. */
  host?: {
    save(row: number): SavedRow
    /** Makes an empty row what another one was. */
    restore(row: number, saved: SavedRow): void
  }

  lengthOf(row: number): number

  /** With `shared`, the first places of the two are the same already. */
  copyRow(from: number, to: number, shared?: number): void
  swapRows(a: number, b: number): void
  clearRow(row: number): void

  /**
   * Reads new tokens: row b of them sees what `past` names of the cache, nothing without it, and of it the last
   * `counts[b]` are written behind row `to[b]` (those before them fill it up). Gives the state after each row's last
   * token; that of single tokens holds until the next one is read. Rejects when a row has no room, and then has
   * written nothing.
   */
  read(tokens: NewTokens, past: Past | undefined, to: number[], counts: number[]): Promise<State[]>
}

/** `count` rows from `first` on. */
export type Past = { first: number; count: number }
