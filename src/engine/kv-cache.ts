/** Which sequence has which row of the store: rows are packed so that the decoding ones are a prefix of it. */
import { createKvStore, type KvStoreShape } from '../graphs/kv-store.ts'
import type { CacheView, Step } from '../graphs/language-model.ts'

/** The place of one sequence. `row` changes when the cache packs its rows; `length` counts the written places. */
export type Slot = { row: number; length: number }

export type KvCache = ReturnType<typeof createKvCache>

/** Rows 0 to `decoding` are the decode batch, the rows after them are being prefilled. */
export function createKvCache ({ slots: capacity, ...shape }: Omit<KvStoreShape, 'rows'> & { slots: number }) {
  const store = createKvStore({ ...shape, rows: capacity })
  const slots: Slot[] = [] // by row
  let decoding = 0

  return {
    capacity,
    inUse: () => slots.length,
    decoding: () => decoding,
    allocate,
    activate,
    release,
    copy,
    append,
    /** `count` rows from `first` on, as the language model takes them: a window on the store. */
    view: (first: number, count: number): CacheView => store.view(first, count)
  }

  /** An empty slot outside the decode batch. Throws when none is free. */
  function allocate (): Slot {
    if (slots.length === capacity) throw new Error('no free slot')
    const slot = { row: slots.length, length: 0 }
    slots.push(slot)
    return slot
  }

  /** Takes a slot into the decode batch. */
  function activate (slot: Slot): void {
    check(slot)
    if (slot.row < decoding) return
    const first = slots[decoding]
    if (first !== undefined && first !== slot) {
      store.swapRows(slot.row, decoding)
      put(first, slot.row)
      put(slot, decoding)
    }
    decoding++
  }

  /** Gives a slot back; the last of the decoding rows and the last of all fill the hole. */
  function release (slot: Slot): void {
    check(slot)
    let hole = slot.row
    if (hole < decoding) {
      decoding--
      hole = fill(hole, decoding)
    }
    hole = fill(hole, slots.length - 1)
    store.clearRow(hole)
    slots.pop()
    slot.row = -1
  }

  /**
   * Makes `to` a copy of `from`: beams that fork, several samples of one prompt. Their first `shared` places hold the
   * same tokens already.
   */
  function copy (from: Slot, to: Slot, shared = 0): void {
    check(from)
    check(to)
    store.copyRow(from.row, to.row, shared)
    to.length = from.length
  }

  /**
   * Writes new places: row b of the step goes to `to[b]`, the last `counts[b]` of its `width` tokens (those before them
   * fill the row up).
   */
  function append (
    to: Slot[],
    step: Pick<Step, 'newKeys' | 'newValues'>,
    counts: number[],
    width: number
  ): void {
    for (const slot of to) check(slot)
    store.append(
      to.map(({ row }) => row),
      step,
      counts,
      width
    )
    for (const slot of to) slot.length = store.lengthOf(slot.row)
  }

  /** Moves the slot of row `last` into row `hole`; the hole is then at `last`. */
  function fill (hole: number, last: number): number {
    const moved = slots[last]
    if (hole !== last && moved !== undefined) {
      store.copyRow(last, hole)
      put(moved, hole)
    }
    return last
  }

  function put (slot: Slot, row: number): void {
    slots[row] = slot
    slot.row = row
  }

  function check (slot: Slot): void {
    if (slots[slot.row] !== slot) throw new Error('the slot was released')
  }
}
