/** Pictures: bytes of a file to the pixels a vision graph takes, and painted pixels to the bytes of a file. */
import { availableParallelism } from 'node:os'
import sharp, { type Metadata } from 'sharp'
import { ServerError } from '../errors.ts'
import { unreadableError } from './decoder-client.ts'
import { createDecoders } from './decoders.ts'
import { readHeader, type Header } from './header.ts'
import { isHuge, type PictureFile } from './pixels.ts'

export type ImageLimits = { maxImageBytes: number; maxImagePixels: number; imageFormats: readonly string[] }

/** Formats a picture can be written in. */
export type PictureFormat = 'png' | 'webp' | 'jpeg'

sharp.concurrency(1) // one thread a picture gives the most pictures a second
sharp.cache(false)

const signatures = {
  png: /^\x89PNG\r\n/,
  jpeg: /^\xff\xd8/,
  webp: /^RIFF[\s\S]{4}WEBP/,
  gif: /^GIF8[79]a/,
  avif: /^[\s\S]{4}ftyp[\s\S]{0,64}avi[fs]/,
  svg: /^(\xef\xbb\xbf)?\s*<(\?xml|!--|!DOCTYPE svg|svg)/
}

const decoders = createDecoders({ count: Math.min(Math.max(availableParallelism(), 2), 8) })

/** Starts the first decoder, which otherwise is started by the first picture. */
export const warmDecoder = decoders.warm

/**
 * A picture file as uint8 `[3, size, size]`, RGB: turned upright, alpha on white, sRGB, squashed to the square byte for
 * byte as PIL does. A picture of more than 4 megapixels is shrunk in part by another filter, which is close to it.
 * Throws `too_large`, `unsupported_media_type` (not an allowed format by its content), or as the decoders do.
 */
export async function decodePicture (
  bytes: Uint8Array,
  size: number,
  limits: ImageLimits,
  signal?: AbortSignal
): Promise<Uint8Array> {
  return new Uint8Array(await decoders.run(await openPicture(bytes, limits), { kind: 'squash', size }, signal))
}

type Mask = { keepMask: boolean[]; grid: { rows: number; columns: number } }

/** The picture as PNG with the patches that were not kept dimmed; `keepMask` is row-major over the grid. */
export async function dimPatches (
  bytes: Uint8Array,
  { keepMask, grid }: Mask,
  limits: ImageLimits,
  signal?: AbortSignal
): Promise<Buffer> {
  return await decoders.run(await openPicture(bytes, limits), { kind: 'dim', keepMask, grid }, signal)
}

/** Painted pixels, uint8 `[height, width, 3]`, as a file. */
export async function encodePicture (
  { pixels, width, height }: { pixels: Uint8Array; width: number; height: number },
  format: PictureFormat
): Promise<Buffer> {
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer()
}

/** The checks that need the header only, so that nothing too large is ever decoded. */
async function openPicture (
  bytes: Uint8Array,
  { maxImageBytes, maxImagePixels, imageFormats }: ImageLimits
): Promise<PictureFile> {
  if (bytes.length > maxImageBytes) {
    throw new ServerError('too_large', `The picture has more than ${maxImageBytes} bytes`)
  }
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1')
  const format = Object.entries(signatures).find(([, signature]) => signature.test(head))?.[0]
  if (format === undefined || !imageFormats.includes(format)) {
    throw new ServerError(
      'unsupported_media_type',
      `The content is not a picture of an allowed format (${imageFormats.join(', ')})`
    )
  }
  const still = head.startsWith('ftypavis', 4) ? asStill(bytes) : bytes
  const header = glance(still, format) ?? (await inspect(still, format))
  if (header.width * header.height > maxImagePixels) {
    throw new ServerError('too_large', `The picture has more than ${maxImagePixels} pixels`)
  }
  return { bytes: still, format, ...header }
}

/** Of pictures that are shrunk on the way the upright sides are needed, which `inspect` tells. */
function glance (bytes: Uint8Array, format: string): Header | undefined {
  const header = readHeader(bytes, format)
  return header && !isHuge(header) ? header : undefined
}

async function inspect (bytes: Uint8Array, format: string): Promise<Header> {
  const metadata = await readable(sharp(bytes, { limitInputPixels: false }).metadata())
  if (metadata.format !== (format === 'avif' ? 'heif' : format)) throw unreadableError()
  const space = firstSpaceOf(metadata)
  return { ...metadata.autoOrient, ...(space && { space }), isProgressive: metadata.isProgressive }
}

/** The decoder reads profiles in 8 bits alone, and inks without a profile of its own by one that PIL does not have. */
function firstSpaceOf ({ space, depth, icc }: Metadata): Header['space'] {
  if (space === 'cmyk') return isProfileOfInks(icc) ? undefined : 'cmyk'
  if (icc && depth === 'ushort') return space === 'grey16' ? 'b-w' : 'srgb'
}

/** ICC.1, section 7.2: the header tells whose colours a profile is for. */
function isProfileOfInks (icc: Buffer | undefined): boolean {
  return icc?.toString('latin1', 16, 20) === 'CMYK' && icc.toString('latin1', 36, 40) === 'acsp'
}

/** libvips knows an animated AVIF only by the brand of its first frame, which is there as a picture of its own. */
function asStill (bytes: Uint8Array): Uint8Array {
  const still = Buffer.from(bytes)
  still.write('avif', 8, 'latin1')
  return still
}

/** What sharp refuses is unreadable; its own words stay here, since they may tell of its insides. */
async function readable<T> (work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch {
    throw unreadableError()
  }
}
