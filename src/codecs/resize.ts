/** Resizes pixels to a square as PIL does with its 8-bit bicubic, byte for byte: what official checkpoints were trained on. */
import { setImmediate } from 'node:timers/promises'

/** uint8 `[height, width, 3]`. */
export type Interleaved = { pixels: Uint8Array, width: number, height: number }

const precision = 22 // bits of a weight behind the point
const linesAtOnce = 64
const weightsAtOnce = 500_000 // a few milliseconds

/**
 * uint8 `[3, size, size]`; the aspect ratio is not kept. A cubic of a = -0.5, widened where the picture shrinks, first
 * along the rows, then along the columns; each pass rounds to bytes. Works in slices, so that others get their turn.
 */
export async function squash ({ pixels, width, height }: Interleaved, size: number): Promise<Uint8Array> {
  const rows = new Uint8Array(height * size * 3) // [height, size, 3]
  await resample(
    { values: pixels, lines: height, length: width, lineStride: 3 * width, stride: 3 },
    { values: rows, length: size, lineStride: 3 * size, stride: 3, channelStride: 1 }
  )
  const squashed = new Uint8Array(3 * size * size)
  await resample(
    { values: rows, lines: size, length: height, lineStride: 3, stride: 3 * size },
    { values: squashed, length: size, lineStride: 1, stride: size, channelStride: size * size }
  )
  return squashed
}

/** Lines of `length` places of three adjacent channels; strides are in bytes. */
type Source = { values: Uint8Array, lines: number, length: number, lineStride: number, stride: number }
type Target = { values: Uint8Array, length: number, lineStride: number, stride: number, channelStride: number }

async function resample (from: Source, to: Target): Promise<void> {
  let weightsDone = 0
  for (let line = 0; line < from.lines; line += linesAtOnce) {
    const end = Math.min(line + linesAtOnce, from.lines)
    for (let place = 0; place < to.length; place++) {
      const kernel = kernelAt(place, from.length, to.length)
      applyKernel(kernel, place, line, end, from, to)
      weightsDone += kernel.weights.length * (end - line)
      if (weightsDone < weightsAtOnce) continue
      await nextTurn()
      weightsDone = 0
    }
  }
}

/** One place of each line from `line` to before `end`. */
function applyKernel ({ first, weights }: Kernel, place: number, line: number, end: number, from: Source, to: Target): void {
  const half = 1 << (precision - 1)
  const { values, stride } = from
  const { length } = weights
  for (; line < end; line++) {
    let [red, green, blue] = [half, half, half]
    let at = line * from.lineStride + first * stride
    for (let i = 0; i < length; i++, at += stride) {
      const weight = weights[i]!
      red += values[at]! * weight
      green += values[at + 1]! * weight
      blue += values[at + 2]! * weight
    }
    const target = line * to.lineStride + place * to.stride
    to.values[target] = byteOf(red)
    to.values[target + to.channelStride] = byteOf(green)
    to.values[target + 2 * to.channelStride] = byteOf(blue)
  }
}

function byteOf (sum: number): number {
  const value = sum >> precision
  return value < 0 ? 0 : value > 255 ? 255 : value
}

/** Fixed-point weights of the source places from `first` on. */
type Kernel = { first: number, weights: Int32Array }

function kernelAt (place: number, sourceLength: number, targetLength: number): Kernel {
  const scale = sourceLength / targetLength
  const width = Math.max(scale, 1) // of one step of the cubic, in source places
  const centre = (place + 0.5) * scale
  const first = Math.max(0, Math.trunc(centre - 2 * width + 0.5))
  const end = Math.min(sourceLength, Math.trunc(centre + 2 * width + 0.5))
  const raw = Float64Array.from({ length: end - first }, (_, i) => cubic((i + first - centre + 0.5) * (1 / width)))
  let sum = 0
  for (const weight of raw) sum += weight
  const weights = Int32Array.from(raw, weight => {
    const fixed = weight / sum * (1 << precision)
    return Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5)
  })
  return { first, weights }
}

function cubic (x: number): number {
  const distance = Math.abs(x)
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * -0.5 : 0
}

let turns = Promise.resolve()

/** Waits for a turn of the event loop of its own: however many pictures are under way, one slice runs between two looks at the sockets. */
function nextTurn (): Promise<void> {
  turns = turns.then(() => setImmediate())
  return turns
}
