/**
 * Numbers of many sequences in one array, [rows, stripes, places, width]: a place is one token, and how many places a
 * row has can change. Who uses it knows how many of them are written.
 */

const short = 8 // numbers of a stripe that are copied faster one by one

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
  // written to, so that its memory is taken now and not bit by bit as ever more rows are longer than ever before
  const data = new Float32Array(rows * stripes * mostPlaces * width).fill(0)
  let stride = 0 // values of a stripe: places * width

  return { window, write, read, copyRow, resize }

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
    const from = { start: ((b * stripes + 1) * tokens - count) * width, stride: tokens * width }
    scatter(fresh, from, data, { start: row * stripes * stride + length * width, stride }, stripes, count * width)
  }

  /** A copy of the first `length` places of a row, [stripes, length, width], as `write` takes them. */
  function read (row: number, length: number): Float32Array {
    const copy = new Float32Array(stripes * length * width)
    const to = { start: 0, stride: length * width }
    scatter(data, { start: row * stripes * stride, stride }, copy, to, stripes, length * width)
    return copy
  }

  /** Only the places from the first one to before the last one. */
  function copyRow (from: number, to: number, { first, last }: { first: number; last: number }): void {
    const source = from * stripes * stride + first * width
    const target = to * stripes * stride + first * width
    const length = (last - first) * width
    if (length <= short) {
      scatter(data, { start: source, stride }, data, { start: target, stride }, stripes, length)
      return
    }
    for (let i = 0; i < stripes * stride; i += stride) data.copyWithin(target + i, source + i, source + i + length)
  }

  /** Gives every row `places`, and keeps as many as `lengths` says of each. */
  function resize (places: number, lengths: number[]): void {
    const next = places * width
    // what moves to the back goes from the back on, so that nothing is overwritten
    const isLonger = next > stride
    for (let i = 0; i < lengths.length; i++) {
      const row = isLonger ? lengths.length - 1 - i : i
      const length = (lengths[row] ?? 0) * width
      if (length === 0) continue
      for (let j = 0; j < stripes; j++) {
        const stripe = row * stripes + (isLonger ? stripes - 1 - j : j)
        data.copyWithin(stripe * next, stripe * stride, stripe * stride + length)
      }
    }
    stride = next
  }
}

type Stripes = { start: number; stride: number }

/** The first `length` numbers of each stripe. Short ones side by side, since most often a stripe gets one. */
function scatter (
  source: Float32Array,
  from: Stripes,
  target: Float32Array,
  to: Stripes,
  stripes: number,
  length: number
): void {
  const [step, stride] = [from.stride, to.stride]
  if (length > short) {
    for (let i = 0; i < stripes; i++) {
      const [at, into] = [from.start + i * step, to.start + i * stride]
      for (let j = 0; j < length; j++) target[into + j] = finite(source[at + j])
    }
    return
  }
  for (let j = 0; j < length; j++) {
    let [at, into] = [from.start + j, to.start + j]
    for (let i = 0; i < stripes; i++) {
      target[into] = finite(source[at])
      at += step
      into += stride
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
