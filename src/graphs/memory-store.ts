/** Keys and values of many sequences in memory of the host: one slab for each layer. */
import { hidden, type KvStore, type KvStoreShape, type SavedRow } from './kv-store.ts'
import type { CacheView, LanguageModel, Step } from './language-model.ts'
import { createSlab } from './slab.ts'

/**
 * A view is a window on the slabs, not a copy: the places of a row lie side by side, as many as the longest row needs
 * (`leastPlaces`, a power of two, 1.5 times it, twice it, and so on). One spare row behind the last helps to swap two.
 */
export function createMemoryStore (
  { rows, layers, kvHeads, headDim, hiddenSize, maxLength, leastPlaces = 32 }: KvStoreShape & { leastPlaces?: number },
  languageModel: LanguageModel
): KvStore {
  const spare = rows
  const slabs = (stripes: number, width: number) =>
    Array.from({ length: layers }, () => createSlab({ rows: rows + 1, stripes, width, mostPlaces: maxLength }))
  const keys = slabs(kvHeads * headDim, 1) // [rows, G, d, P]
  const values = slabs(kvHeads, headDim) // [rows, G, P, d]
  const bias = new Float32Array((rows + 1) * maxLength) // [rows, P]
  const lengths = new Array<number>(rows + 1).fill(0) // written places of each row
  let places = 0 // P
  resize(placesFor(0))

  return {
    host: { save, restore },
    lengthOf: row => lengths[row] ?? 0,
    copyRow,
    swapRows,
    clearRow,
    async read (tokens, past, to, counts) {
      const step = await languageModel.run(tokens, past ? view(past.first, past.count) : nothing(to.length))
      append(to, step, counts, tokens.count)
      return to.map((_, b) => step.states.subarray(b * hiddenSize, (b + 1) * hiddenSize))
    }
  }

  /** Throws when a row has no room, and then has written nothing. */
  function append (
    to: number[],
    { newKeys, newValues }: Pick<Step, 'newKeys' | 'newValues'>,
    counts: number[],
    width: number
  ): void {
    const fresh = to.map((row, b) => ({ row, length: lengths[row] ?? 0, count: counts[b] ?? 0 }))
    const longest = Math.max(...fresh.map(({ length, count }) => length + count))
    if (longest > maxLength) throw new Error('the sequence is longer than the cache')
    if (longest > places) resize(placesFor(longest))
    for (const [slab, step] of [...paired(keys, newKeys), ...paired(values, newValues)]) {
      for (const [b, { row, length, count }] of fresh.entries()) {
        slab.write({ row, length }, step, { b, count, tokens: width })
      }
    }
    for (const { row, length, count } of fresh) show(row, length + count)
  }

  function copyRow (from: number, to: number, shared = 0): void {
    const length = lengths[from] ?? 0
    for (const slab of [...keys, ...values]) slab.copyRow(from, to, { first: shared, last: length })
    show(to, length)
  }

  function swapRows (a: number, b: number): void {
    copyRow(a, spare)
    copyRow(b, a)
    copyRow(spare, b)
    show(spare, 0)
  }

  /** Empties a row. Where the others need far fewer places, all get fewer. */
  function clearRow (row: number): void {
    show(row, 0)
    const longest = Math.max(...lengths)
    if (placesFor(2 * longest) < places) resize(placesFor(longest))
  }

  function save (row: number): SavedRow {
    const length = lengths[row] ?? 0
    return { length, slabs: [...keys, ...values].map(slab => slab.read(row, length)) }
  }

  function restore (row: number, { length, slabs: saved }: SavedRow): void {
    if (length > places) resize(placesFor(length))
    for (const [slab, numbers] of paired([...keys, ...values], saved)) {
      slab.write({ row, length: 0 }, numbers, { b: 0, count: length, tokens: length })
    }
    show(row, length)
  }

  /** The past of rows that have none: one hidden place each, since a graph's dimension cannot be 0. */
  function nothing (count: number): CacheView {
    const zeros = new Float32Array(count * kvHeads * headDim)
    const each = Array.from({ length: layers }, () => zeros)
    return { rows: count, places: 1, bias: new Float32Array(count).fill(hidden), keys: each, values: each }
  }

  /** A window on the slabs, as the language model takes it. */
  function view (first: number, count: number): CacheView {
    return {
      rows: count,
      places,
      bias: bias.subarray(first * places, (first + count) * places),
      keys: keys.map(slab => slab.window(first, count)),
      values: values.map(slab => slab.window(first, count))
    }
  }

  /** Results do not depend on how many places rows of this length get, since what is hidden weighs nothing. */
  function placesFor (length: number): number {
    let enough = leastPlaces
    while (enough < length) enough = (enough & (enough - 1)) === 0 ? enough * 1.5 : (enough / 3) * 4
    return Math.min(enough, maxLength)
  }

  function resize (to: number): void {
    for (const slab of [...keys, ...values]) slab.resize(to, lengths)
    places = to
    for (const [row, length] of lengths.entries()) show(row, length)
  }

  /** Shows the first `length` places of a row, and hides those behind them. */
  function show (row: number, length: number): void {
    lengths[row] = length
    bias.fill(0, row * places, row * places + length)
    bias.fill(hidden, row * places + length, (row + 1) * places)
  }
}

function paired<A, B> (as: A[], bs: B[]): [A, B][] {
  return as.flatMap((a, i) => (bs[i] === undefined ? [] : [[a, bs[i]]]))
}
