/**
 * What the first bytes of a picture's file tell, for the files that come most. It saves the half of a millisecond that
 * asking a whole decoder takes.
 */

/** `width` and `height` as they are stored: whether the picture lies is told by tags that are not read here. */
export type Header = {
  width: number
  height: number
  /** What the colours are to become before all else, where the file's profile is not to be gone by at once. */
  space?: 'cmyk' | 'srgb' | 'b-w'
  isProgressive: boolean
}

const [baseline, extended, progressive, startOfScan] = [0xc0, 0xc1, 0xc2, 0xda]

/** Nothing for a file that takes more than a glance; then a decoder has to tell. */
export function readHeader (bytes: Uint8Array, format: string): Header | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = format === 'png' ? headerOfPng(view) : format === 'jpeg' ? headerOfJpeg(view) : undefined
  return header && header.width > 0 && header.height > 0 ? header : undefined
}

/** PNG, section 11.2.2: the first chunk, of up to 8 bits. */
function headerOfPng (view: DataView): Header | undefined {
  const isFirst = view.byteLength >= 33 && view.getUint32(8) === 13 && view.getUint32(12) === 0x49484452 // IHDR
  if (!isFirst || view.getUint8(24) > 8) return
  return { width: view.getUint32(16), height: view.getUint32(20), isProgressive: false }
}

/** ITU T.81, annex B: segments up to the frame's, of one or three components in 8 bits. */
function headerOfJpeg (view: DataView): Header | undefined {
  for (let at = 2; at + 10 <= view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1)
    if (marker === baseline || marker === extended || marker === progressive) {
      const components = view.getUint8(at + 9)
      if (view.getUint8(at + 4) !== 8 || (components !== 1 && components !== 3)) return
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)]
      return { width, height, isProgressive: marker === progressive }
    }
    const isSegment = marker === 0xc4 || (marker > startOfScan && marker < 0xff)
    if (!isSegment) return
    at += 2 + view.getUint16(at + 2)
  }
}
