/**
 * The first frame of a GIF, which may be smaller than the canvas. What it leaves free is transparent, but the decoder
 * gives it as black where the frame itself has no transparent colour.
 */
import type { Interleaved } from './resize/squash.ts'

type Frame = { left: number; top: number; width: number; height: number }

const [extension, image] = [0x21, 0x2c]

/** GIF89a, sections 18 to 23: past the canvas, its colours and extensions. Nothing for a file that holds no frame. */
export function firstFrame (bytes: Uint8Array): Frame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.byteLength < 13) return
  const flags = view.getUint8(10)
  let at = 13 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  while (at + 10 <= view.byteLength) {
    const kind = view.getUint8(at)
    if (kind === image) {
      const [left, top, width, height] = [1, 3, 5, 7].map(offset => view.getUint16(at + offset, true))
      return { left: left!, top: top!, width: width!, height: height! }
    }
    if (kind !== extension) return
    at = endOfParts(view, at + 2)
  }
}

/** Where the parts end that begin at `at`, each after its length, the last one empty. */
function endOfParts (view: DataView, at: number): number {
  while (at < view.byteLength && view.getUint8(at) > 0) at += 1 + view.getUint8(at)
  return at + 1
}

export function covers ({ left, top, width, height }: Frame, canvas: { width: number; height: number }): boolean {
  return left === 0 && top === 0 && width >= canvas.width && height >= canvas.height
}

/** Alters the pixels, uint8 RGB. */
export function whitenAround (frame: Frame, { pixels, width, height }: Interleaved): void {
  const right = frame.left + frame.width
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(3 * width * y, 3 * width * (y + 1))
    if (y < frame.top || y >= frame.top + frame.height) row.fill(255)
    else row.fill(255, 0, 3 * frame.left).fill(255, 3 * right)
  }
}
