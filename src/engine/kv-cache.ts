/** Keys and values of every sequence: one slab for each layer, rows packed so that the decoding ones are a prefix of it. */
import type { CacheView, Step } from '../graphs/language-model.ts'

export const hidden = -1e9 // added to the scores of places not written

/** The place of one sequence. `row` changes when the cache packs its rows; `length` counts the written places. */
export type Slot = { row: number, length: number }

export type KvCacheShape = { slots: number, layers: number, kvHeads: number, headDim: number, maxLength: number }

export type KvCache = ReturnType<typeof createKvCache>

/**
 * Rows 0 to `decoding` are the decode batch, the rows after them are being prefilled. A view is a window on the slab,
 * not a copy. One spare row behind the last slot helps to swap two.
 */
export function createKvCache ({ slots: capacity, layers, kvHeads, headDim, maxLength }: KvCacheShape) {
  const rowSize = kvHeads * headDim * maxLength
  const keys = Array.from({ length: layers }, () => new Float32Array((capacity + 1) * rowSize)) // [slots, G, d, P]
  const values = Array.from({ length: layers }, () => new Float32Array((capacity + 1) * rowSize)) // [slots, G, P, d]
  const bias = new Float32Array((capacity + 1) * maxLength).fill(hidden) // [slots, P]
  const rows: Slot[] = []
  let decoding = 0

  return {
    capacity,
    inUse: () => rows.length,
    decoding: () => decoding,
    allocate,
    activate,
    release,
    copy,
    append,
    view
  }

  /** An empty slot outside the decode batch. Throws when none is free. */
  function allocate (): Slot {
    if (rows.length === capacity) throw new Error('no free slot')
    const slot = { row: rows.length, length: 0 }
    rows.push(slot)
    return slot
  }

  /** Takes a slot into the decode batch. */
  function activate (slot: Slot): void {
    check(slot)
    if (slot.row < decoding) return
    const first = rows[decoding]!
    if (first !== slot) {
      const place = slot.row
      move(slot, capacity)
      move(first, place)
      move(slot, decoding)
    }
    decoding++
  }

  /** Gives a slot back; the last rows fill the hole. */
  function release (slot: Slot): void {
    check(slot)
    let hole = slot.row
    if (hole < decoding) {
      decoding--
      hole = fill(hole, decoding)
    }
    fill(hole, rows.length - 1)
    const last = rows.length - 1
    bias.fill(hidden, last * maxLength, (last + 1) * maxLength)
    rows.pop()
    slot.row = -1
  }

  /** Makes `to` a copy of `from`: beams that fork, several samples of one prompt. */
  function copy (from: Slot, to: Slot): void {
    check(from)
    check(to)
    copyRow(from.row, to.row, from.length)
    to.length = from.length
  }

  /** Writes `count` new places of each slot; `slots[b]` is row b of the step. */
  function append (slots: Slot[], { newKeys, newValues }: Pick<Step, 'newKeys' | 'newValues'>, count: number): void {
    for (const slot of slots) {
      check(slot)
      if (slot.length + count > maxLength) throw new Error('the sequence is longer than the cache')
    }
    for (let layer = 0; layer < layers; layer++) {
      for (const [b, { row, length }] of slots.entries()) {
        writeKeys(keys[layer]!, newKeys[layer]!, row, length, b, count)
        writeValues(values[layer]!, newValues[layer]!, row, length, b, count)
      }
    }
    for (const slot of slots) {
      const start = slot.row * maxLength + slot.length
      bias.fill(0, start, start + count)
      slot.length += count
    }
  }

  /** `count` rows from `first` on, as the language model takes them. */
  function view (first: number, count: number): CacheView {
    const window = (slab: Float32Array) => slab.subarray(first * rowSize, (first + count) * rowSize)
    return { rows: count, bias: bias.subarray(first * maxLength, (first + count) * maxLength), keys: keys.map(window), values: values.map(window) }
  }

  function check (slot: Slot): void {
    if (rows[slot.row] !== slot) throw new Error('the slot was released')
  }

  /** Moves the slot of row `last` into row `hole`; the hole is then at `last`. */
  function fill (hole: number, last: number): number {
    if (hole !== last) move(rows[last]!, hole)
    return last
  }

  function move (slot: Slot, row: number): void {
    copyRow(slot.row, row, slot.length)
    slot.row = row
    if (row < capacity) rows[row] = slot
  }

  /** Only written places are copied; what lies behind them stays hidden. */
  function copyRow (from: number, to: number, length: number): void {
    for (let layer = 0; layer < layers; layer++) {
      copyStripes(keys[layer]!, from, to, kvHeads * headDim, maxLength, length)
      copyStripes(values[layer]!, from, to, kvHeads, maxLength * headDim, length * headDim)
    }
    bias.fill(0, to * maxLength, to * maxLength + length)
    bias.fill(hidden, to * maxLength + length, (to + 1) * maxLength)
  }

  function copyStripes (slab: Float32Array, from: number, to: number, stripes: number, stride: number, length: number): void {
    for (let i = 0; i < stripes; i++) {
      const start = from * rowSize + i * stride
      slab.copyWithin(to * rowSize + i * stride, start, start + length)
    }
  }

  /** New keys [B, G, d, T] into row [G, d, P], from place `length` on. */
  function writeKeys (slab: Float32Array, fresh: Float32Array, row: number, length: number, b: number, count: number): void {
    const stripes = kvHeads * headDim
    for (let i = 0; i < stripes; i++) {
      for (let t = 0; t < count; t++) slab[row * rowSize + i * maxLength + length + t] = finite(fresh[(b * stripes + i) * count + t]!)
    }
  }

  /** New values [B, G, T, d] into row [G, P, d], from place `length` on. */
  function writeValues (slab: Float32Array, fresh: Float32Array, row: number, length: number, b: number, count: number): void {
    for (let head = 0; head < kvHeads; head++) {
      const from = (b * kvHeads + head) * count * headDim
      const to = row * rowSize + (head * maxLength + length) * headDim
      for (let i = 0; i < count * headDim; i++) slab[to + i] = finite(fresh[from + i]!)
    }
  }
}

/** Hiding a place multiplies it by zero, which NaN and Infinity survive: kept, they would spoil every later sequence of the row. */
function finite (x: number): number {
  return Number.isFinite(x) ? x : 0
}
