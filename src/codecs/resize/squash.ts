/**
 * Resizes pixels to a square as PIL does with its 8-bit bicubic, byte for byte: what official checkpoints were trained
 * on. The sums are made by WebAssembly (kernel.wat), four at a time.
 */
import { kernel } from './kernel.ts'

/** uint8 `[height, width, 3]`. */
export type Interleaved = { pixels: Uint8Array; width: number; height: number }

const precision = 22 // bits of a weight behind the point
const blockBytes = 2 ** 20 // of the picture that lie in the kernel's memory at a time
const pageBytes = 2 ** 16
const alignment = 16
const mostKept = 64 // kernels
const kept = new Map<string, Kernels>()
const behind = 16 // bytes that the kernel may touch behind what it reads or writes

const { memory, alongRows, alongColumns } = new WebAssembly.Instance(
  new WebAssembly.Module(Buffer.from(kernel, 'base64'))
).exports as {
  memory: WebAssembly.Memory
  alongRows: (...numbers: number[]) => void
  alongColumns: (...numbers: number[]) => void
}

/**
 * uint8 `[3, size, size]`; the aspect ratio is not kept. A cubic of a = -0.5, widened where the picture shrinks, first
 * along the rows, then along the columns; each pass rounds to bytes.
 */
export function squash ({ pixels, width, height }: Interleaved, size: number): Uint8Array {
  const [stride, narrowStride] = [3 * width, 3 * size]
  const blockLines = Math.min(height, Math.ceil(blockBytes / stride))
  const [across, down] = [kernels(width, size), kernels(height, size)]
  const reserve = openMemory()
  const acrossAt = reserve(byteLengthOf(across))
  const downAt = reserve(byteLengthOf(down))
  const block = reserve(blockLines * stride)
  const rows = reserve(height * narrowStride)
  const square = reserve(size * narrowStride)
  const bytes = new Uint8Array(memory.buffer)
  const acrossTables = putKernels(across, acrossAt)
  const downTables = putKernels(down, downAt)
  for (let line = 0; line < height; line += blockLines) {
    const lines = Math.min(blockLines, height - line)
    bytes.set(pixels.subarray(line * stride, (line + lines) * stride), block)
    alongRows(block, lines, stride, rows + line * narrowStride, size, ...acrossTables)
  }
  alongColumns(rows, narrowStride, square, size, ...downTables)
  return planesOf(bytes.subarray(square, square + size * narrowStride))
}

/** Finds room in the kernel's memory, from its beginning on, for one length after the other. */
function openMemory () {
  let end = 0
  return (length: number): number => {
    const start = end
    end += Math.ceil((length + behind) / alignment) * alignment
    const missing = Math.ceil((end - memory.buffer.byteLength) / pageBytes)
    if (missing > 0) memory.grow(missing)
    return start
  }
}

/** `[pixels, 3]` to `[3, pixels]`. */
function planesOf (interleaved: Uint8Array): Uint8Array {
  const planes = new Uint8Array(interleaved.length)
  const length = planes.length / 3
  for (let i = 0, from = 0; i < length; i++) {
    planes[i] = interleaved[from++]!
    planes[i + length] = interleaved[from++]!
    planes[i + 2 * length] = interleaved[from++]!
  }
  return planes
}

/**
 * Fixed-point weights of all places in a row: those of a place end before `ends[place]`, where the next one's begin,
 * and belong to the source places from `first[place]` on.
 */
type Kernels = { first: Int32Array; ends: Int32Array; weights: Int32Array }

function byteLengthOf ({ first, ends, weights }: Kernels): number {
  return first.byteLength + ends.byteLength + weights.byteLength
}

/** Puts them there and gives the three places. */
function putKernels (tables: Kernels, start: number): number[] {
  let end = start
  return [tables.first, tables.ends, tables.weights].map(table => {
    new Int32Array(memory.buffer, end, table.length).set(table)
    end += table.byteLength
    return end - table.byteLength
  })
}

/** Those of the last pictures' lengths are kept: pictures of one size come often. */
function kernels (sourceLength: number, targetLength: number): Kernels {
  const key = `${sourceLength} ${targetLength}`
  const known = kept.get(key)
  if (known) return known
  if (kept.size >= mostKept) kept.clear()
  const made = makeKernels(sourceLength, targetLength)
  kept.set(key, made)
  return made
}

function makeKernels (sourceLength: number, targetLength: number): Kernels {
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
