/** Which sequence has which row of the store: rows are packed so that the decoding ones are a prefix of it. */
import type { KvStore, Past, SavedRow, State } from '../graphs/kv-store.ts'
import type { NewTokens } from '../graphs/language-model.ts'

/** The place of one sequence. `row` changes when the cache packs its rows; `length` counts the written places. */
export type Slot = { row: number; length: number }

export type KvCache = ReturnType<typeof createKvCache>

/** Rows 0 to `decoding` are the decode batch, the rows after them are being prefilled. */
export function createKvCache (store: KvStore, capacity: number) {
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
    save,
    restore,
    read,
    /** Whether any rows that lie side by side can be read together; else the first ones alone. */
    hasNeighbours: store.host !== undefined
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

  /** What a slot holds, for others that begin alike; nothing where it lies on a device. */
  function save (slot: Slot): SavedRow | undefined {
    check(slot)
    return store.host?.save(slot.row)
  }

  /** Begins an empty slot with what another one held. */
  function restore (slot: Slot, saved: SavedRow): void {
    check(slot)
    store.host?.restore(slot.row, saved)
    slot.length = store.lengthOf(slot.row)
  }

  /** Reads new tokens behind those of `to`, as a store does. */
  async function read (tokens: NewTokens, past: Past | undefined, to: Slot[], counts: number[]): Promise<State[]> {
    for (const slot of to) check(slot)
    const states = await store.read(tokens, past, to.map(({ row }) => row), counts)
    for (const slot of to) slot.length = store.lengthOf(slot.row)
    return states
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
