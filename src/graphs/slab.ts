/**
 * Numbers of many sequences in one array, [rows, stripes, places, width]: a place is one token, and how many places a
 * row has can change. Who uses it knows how many of them are written.
 */

export type Slab = ReturnType<typeof createSlab>

export function createSlab ({
  rows,
  stripes,
  width,
  mostPlaces
}: {
  rows: number
  stripes: number
  width: number
  mostPlaces: number
}) {
  const data = new Float32Array(rows * stripes * mostPlaces * width)
  let stride = 0 // values of a stripe: places * width

  return { window, write, copyRow, resize }

  /** `count` rows from `first` on: a view, not a copy. */
  function window (first: number, count: number): Float32Array {
    return data.subarray(first * stripes * stride, (first + count) * stripes * stride)
  }

  /** Puts the last `count` tokens of row b of `fresh`, [B, stripes, tokens, width], behind `length` places of a row. */
  function write (
    { row, length }: { row: number; length: number },
    fresh: Float32Array,
    { b, count, tokens }: { b: number; count: number; tokens: number }
  ): void {
    for (let i = 0; i < stripes; i++) {
      const from = ((b * stripes + i + 1) * tokens - count) * width
      const to = (row * stripes + i) * stride + length * width
      for (let j = 0; j < count * width; j++) data[to + j] = finite(fresh[from + j])
    }
  }

  /** Only the first `length` places. */
  function copyRow (from: number, to: number, length: number): void {
    for (let i = 0; i < stripes; i++) {
      const start = (from * stripes + i) * stride
      data.copyWithin((to * stripes + i) * stride, start, start + length * width)
    }
  }

  /** Gives every row `places`, and keeps as many as `lengths` says of each. */
  function resize (places: number, lengths: number[]): void {
    const next = places * width
    const all = lengths.length * stripes
    for (let i = 0; i < all; i++) {
      // what moves to the back goes from the back on, so that nothing is overwritten
      const stripe = next > stride ? all - 1 - i : i
      const length = lengths[Math.floor(stripe / stripes)] ?? 0
      data.copyWithin(stripe * next, stripe * stride, stripe * stride + length * width)
    }
    stride = next
  }
}

/**
 * Hiding a place multiplies it by zero, which NaN and Infinity survive: kept, they would spoil every later sequence of
 * the row.
 */
function finite (x = 0): number {
  return Number.isFinite(x) ? x : 0
}
