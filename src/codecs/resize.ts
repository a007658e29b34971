/**
 * Resizes pixels to a square as PIL does with its 8-bit bicubic, byte for byte: what official checkpoints were trained
 * on.
 */

/** uint8 `[height, width, 3]`. */
export type Interleaved = { pixels: Uint8Array; width: number; height: number }

const precision = 22 // bits of a weight behind the point
const half = 1 << (precision - 1)

/**
 * uint8 `[3, size, size]`; the aspect ratio is not kept. A cubic of a = -0.5, widened where the picture shrinks, first
 * along the rows, then along the columns; each pass rounds to bytes.
 */
export function squash ({ pixels, width, height }: Interleaved, size: number): Uint8Array {
  const rows = new Uint8Array(height * size * 3) // [height, size, 3]
  alongRows(pixels, width, rows, size)
  const planes = new Uint8Array(3 * size * size)
  alongColumns(rows, height, planes, size)
  return planes
}

/** `[lines, width, 3]` to `[lines, size, 3]`. */
function alongRows (from: Uint8Array, width: number, to: Uint8Array, size: number): void {
  const { first, ends, weights } = kernels(width, size)
  let target = 0
  for (let line = 0; line < from.length; line += 3 * width) {
    for (let place = 0, i = 0; place < size; place++) {
      let [red, green, blue] = [half, half, half]
      const end = ends[place]!
      for (let at = line + 3 * first[place]!; i < end; i++, at += 3) {
        const weight = weights[i]!
        red = (red + Math.imul(from[at]!, weight)) | 0
        green = (green + Math.imul(from[at + 1]!, weight)) | 0
        blue = (blue + Math.imul(from[at + 2]!, weight)) | 0
      }
      to[target++] = byteOf(red)
      to[target++] = byteOf(green)
      to[target++] = byteOf(blue)
    }
  }
}

/** `[height, size, 3]` to `[3, size, size]`: whole rows at a time, as they lie in memory. */
function alongColumns (from: Uint8Array, height: number, to: Uint8Array, size: number): void {
  const { first, ends, weights } = kernels(height, size)
  const sums = new Int32Array(3 * size)
  for (let place = 0, i = 0; place < size; place++) {
    sums.fill(half)
    const end = ends[place]!
    for (let at = first[place]! * sums.length; i < end; i++, at += sums.length) {
      const weight = weights[i]!
      for (let x = 0; x < sums.length; x++) sums[x] = (sums[x]! + Math.imul(from[at + x]!, weight)) | 0
    }
    for (let x = 0; x < size; x++) {
      for (let channel = 0; channel < 3; channel++) {
        to[(channel * size + place) * size + x] = byteOf(sums[3 * x + channel]!)
      }
    }
  }
}

function byteOf (sum: number): number {
  const value = sum >> precision
  return value < 0 ? 0 : value > 255 ? 255 : value
}

/**
 * Fixed-point weights of all places in a row: those of a place end before `ends[place]`, where the next one's begin,
 * and
 * belong to the source places from `first[place]` on.
 */
type Kernels = { first: Int32Array; ends: Int32Array; weights: Int32Array }

function kernels (sourceLength: number, targetLength: number): Kernels {
  const scale = sourceLength / targetLength
  const width = Math.max(scale, 1) // of one step of the cubic, in source places
  const first = new Int32Array(targetLength)
  const ends = new Int32Array(targetLength)
  const weights: number[] = []
  for (let place = 0; place < targetLength; place++) {
    const centre = (place + 0.5) * scale
    const start = Math.max(0, Math.trunc(centre - 2 * width + 0.5))
    const end = Math.min(sourceLength, Math.trunc(centre + 2 * width + 0.5))
    const raw = Array.from({ length: end - start }, (_, i) => cubic((i + start - centre + 0.5) * (1 / width)))
    const sum = raw.reduce((sum, weight) => sum + weight, 0)
    for (const weight of raw) {
      const fixed = (weight / sum) * (1 << precision)
      weights.push(Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5))
    }
    first[place] = start
    ends[place] = weights.length
  }
  return { first, ends, weights: Int32Array.from(weights) }
}

function cubic (x: number): number {
  const distance = Math.abs(x)
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * -0.5 : 0
}
