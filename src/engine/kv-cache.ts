/**
 * Keys and values of every sequence: one slab for each layer, rows packed so that the decoding ones are a prefix of it.
 */
import type { CacheView, Step } from '../graphs/language-model.ts'

export const hidden = -1e9 // added to the scores of places not written

/** The place of one sequence. `row` changes when the cache packs its rows; `length` counts the written places. */
export type Slot = { row: number; length: number }

export type KvCacheShape = {
  slots: number
  layers: number
  kvHeads: number
  headDim: number
  maxLength: number
  leastPlaces?: number
}

export type KvCache = ReturnType<typeof createKvCache>

/**
 * Rows 0 to `decoding` are the decode batch, the rows after them are being prefilled. A view is a window on the slab,
 * not a copy: the places of a row lie side by side, as many as the longest row needs (`leastPlaces` times a power of
 * two). One
 * spare row behind the last slot helps to swap two.
 */
export function createKvCache ({
  slots: capacity,
  layers,
  kvHeads,
  headDim,
  maxLength,
  leastPlaces = 64
}: KvCacheShape) {
  const slabSize = (capacity + 1) * kvHeads * headDim * maxLength
  const keys = Array.from({ length: layers }, () => new Float32Array(slabSize)) // [slots, G, d, P]
  const values = Array.from({ length: layers }, () => new Float32Array(slabSize)) // [slots, G, P, d]
  const bias = new Float32Array((capacity + 1) * maxLength).fill(hidden) // [slots, P]
  const rows: Slot[] = []
  let decoding = 0
  let places = windowFor(0) // P
  let rowSize = kvHeads * headDim * places

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
    const first = rows[decoding]
    if (first !== undefined && first !== slot) {
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
    hide(rows.length - 1, 0)
    rows.pop()
    slot.row = -1
    const longest = rows.reduce((most, { length }) => Math.max(most, length), 0)
    if (windowFor(2 * longest) < places) resize(windowFor(longest))
  }

  /** Makes `to` a copy of `from`: beams that fork, several samples of one prompt. */
  function copy (from: Slot, to: Slot): void {
    check(from)
    check(to)
    copyRow(from.row, to.row, from.length)
    to.length = from.length
  }

  /**
   * Writes new places: row b of the step goes to `slots[b]`, the last `counts[b]` of its `width` tokens (those before
   * them fill the row up).
   */
  function append (
    slots: Slot[],
    { newKeys, newValues }: Pick<Step, 'newKeys' | 'newValues'>,
    counts: number[],
    width: number
  ): void {
    const ends = slots.map((slot, b) => {
      check(slot)
      return slot.length + (counts[b] ?? 0)
    })
    const longest = Math.max(...ends)
    if (longest > maxLength) throw new Error('the sequence is longer than the cache')
    if (longest > places) resize(windowFor(longest))
    for (const [layer, slab] of keys.entries()) {
      for (const [b, slot] of slots.entries()) writeKeys(slab, newKeys[layer], slot, b, counts[b] ?? 0, width)
    }
    for (const [layer, slab] of values.entries()) {
      for (const [b, slot] of slots.entries()) writeValues(slab, newValues[layer], slot, b, counts[b] ?? 0, width)
    }
    for (const [b, slot] of slots.entries()) {
      const end = ends[b] ?? slot.length
      bias.fill(0, slot.row * places + slot.length, slot.row * places + end)
      slot.length = end
    }
  }

  /** `count` rows from `first` on, as the language model takes them. */
  function view (first: number, count: number): CacheView {
    const window = (slab: Float32Array) => slab.subarray(first * rowSize, (first + count) * rowSize)
    return {
      rows: count,
      places,
      bias: bias.subarray(first * places, (first + count) * places),
      keys: keys.map(window),
      values: values.map(window)
    }
  }

  /** Gives every row another number of places, in the same slab. */
  function resize (to: number): void {
    const order = Array.from(rows.keys())
    if (to > places) order.reverse() // what moves to the back goes from the back on, so that nothing is overwritten
    for (const slab of keys) for (const row of order) spread(slab, row, kvHeads * headDim, 1, to)
    for (const slab of values) for (const row of order) spread(slab, row, kvHeads, headDim, to)
    places = to
    rowSize = kvHeads * headDim * places
    bias.fill(hidden)
    for (const { row, length } of rows) bias.fill(0, row * places, row * places + length)
  }

  /** Moves the stripes of one row, each of `width` values a place, to where they lie with `to` places. */
  function spread (slab: Float32Array, row: number, stripes: number, width: number, to: number): void {
    const length = (rows[row]?.length ?? 0) * width
    for (let i = 0; i < stripes; i++) {
      const stripe = row * stripes + (to > places ? stripes - 1 - i : i)
      const from = stripe * places * width
      slab.copyWithin(stripe * to * width, from, from + length)
    }
  }

  /** The places that rows of this length get: results do not depend on it, since what is hidden weighs nothing. */
  function windowFor (length: number): number {
    let window = leastPlaces
    while (window < length) window *= 2
    return Math.min(window, maxLength)
  }

  function hide (row: number, from: number): void {
    bias.fill(hidden, row * places + from, (row + 1) * places)
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
    for (const slab of keys) copyStripes(slab, from, to, kvHeads * headDim, places, length)
    for (const slab of values) copyStripes(slab, from, to, kvHeads, places * headDim, length * headDim)
    bias.fill(0, to * places, to * places + length)
    hide(to, length)
  }

  function copyStripes (
    slab: Float32Array,
    from: number,
    to: number,
    stripes: number,
    stride: number,
    length: number
  ): void {
    for (let i = 0; i < stripes; i++) {
      const start = from * rowSize + i * stride
      slab.copyWithin(to * rowSize + i * stride, start, start + length)
    }
  }

  /** New keys [B, G, d, T] into row [G, d, P], from the slot's length on. */
  function writeKeys (
    slab: Float32Array,
    fresh: Float32Array = new Float32Array(),
    { row, length }: Slot,
    b: number,
    count: number,
    width: number
  ): void {
    const stripes = kvHeads * headDim
    for (let i = 0; i < stripes; i++) {
      const from = (b * stripes + i + 1) * width - count
      const to = row * rowSize + i * places + length
      for (let t = 0; t < count; t++) slab[to + t] = finite(fresh[from + t])
    }
  }

  /** New values [B, G, T, d] into row [G, P, d], from the slot's length on. */
  function writeValues (
    slab: Float32Array,
    fresh: Float32Array = new Float32Array(),
    { row, length }: Slot,
    b: number,
    count: number,
    width: number
  ): void {
    for (let head = 0; head < kvHeads; head++) {
      const from = ((b * kvHeads + head + 1) * width - count) * headDim
      const to = row * rowSize + (head * places + length) * headDim
      for (let i = 0; i < count * headDim; i++) slab[to + i] = finite(fresh[from + i])
    }
  }
}

/**
 * Hiding a place multiplies it by zero, which NaN and Infinity survive: kept, they would spoil every later sequence of
 * the row.
 */
function finite (x = 0): number {
  return Number.isFinite(x) ? x : 0
}
