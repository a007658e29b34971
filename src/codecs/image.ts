/** Pictures: bytes of a file to the pixels a vision graph takes, and painted pixels to the bytes of a file. */
import sharp, { type FailOnOptions, type Sharp } from 'sharp'
import { ServerError } from '../errors.ts'
import { squash, type Interleaved } from './resize.ts'

export type ImageLimits = { maxImageBytes: number, maxImagePixels: number, imageFormats: readonly string[] }

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

// A picture is held whole in memory while it is squashed. Above these, sides are cut to `shrunkSide` while it is decoded.
const mostPixels = 2 ** 22
const longestSide = 8192
const shrunkSide = 2048
const picturesAtOnce = 4

// The longest side of a picture that goes back to the client.
const overlaySide = 1024
const dimmedAlpha = 190

/**
 * A picture file as uint8 `[3, size, size]`, RGB: turned upright, alpha on white, sRGB, squashed to the square byte for
 * byte as PIL does. A picture of more than 4 megapixels is shrunk in part by another filter, which is close to it.
 * Throws `too_large`, `unsupported_media_type` (not an allowed format by its content) or `image_unreadable`.
 */
export async function decodePicture (bytes: Uint8Array, size: number, limits: ImageLimits): Promise<Uint8Array> {
  const file = await openPicture(bytes, limits)
  const { width, height } = file
  return await inTurn(async () => {
    const isHuge = width * height > mostPixels || Math.max(width, height) > longestSide
    const shrunk = { width: Math.min(width, shrunkSide), height: Math.min(height, shrunkSide) }
    return await squash(await readPixels(file, picture => {
      return isHuge ? picture.resize({ ...shrunk, fit: 'fill', kernel: 'cubic' }) : picture
    }), size)
  })
}

const lanes = Array.from({ length: picturesAtOnce }, () => Promise.resolve())
let pictures = 0

/** Few pictures are in memory at a time, however many are sent. */
function inTurn<T> (work: () => Promise<T>): Promise<T> {
  const lane = pictures++ % picturesAtOnce
  const done = lanes[lane]!.then(work)
  lanes[lane] = done.then(() => {}, () => {})
  return done
}

/** The picture as PNG with the patches that were not kept dimmed; `keepMask` is row-major over the grid. */
export async function dimPatches (bytes: Uint8Array, keepMask: boolean[], grid: { rows: number, columns: number }, limits: ImageLimits): Promise<Buffer> {
  const { pixels, width, height } = await readPixels(await openPicture(bytes, limits), picture => {
    return picture.resize(overlaySide, overlaySide, { fit: 'inside', withoutEnlargement: true })
  })
  const shade = Buffer.alloc(4 * keepMask.length) // black, `[rows, columns, 4]`
  keepMask.forEach((kept, patch) => { shade[4 * patch + 3] = kept ? 0 : dimmedAlpha })
  const overlay = await sharp(shade, { raw: { width: grid.columns, height: grid.rows, channels: 4 } })
    .resize(width, height, { fit: 'fill', kernel: 'nearest' })
    .png()
    .toBuffer()
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .composite([{ input: overlay }])
    .removeAlpha()
    .png()
    .toBuffer()
}

/** Painted pixels, uint8 `[height, width, 3]`, as a file. */
export async function encodePicture ({ pixels, width, height }: { pixels: Uint8Array, width: number, height: number }, format: PictureFormat): Promise<Buffer> {
  return await sharp(pixels, { raw: { width, height, channels: 3 } }).toFormat(format).toBuffer()
}

/** A file that passed the checks; `width` and `height` are those of the upright picture. */
type PictureFile = { bytes: Uint8Array, format: string, width: number, height: number, isCmyk: boolean, isProgressive: boolean }

/** The checks that need the header only, so that nothing too large is ever decoded. */
async function openPicture (bytes: Uint8Array, { maxImageBytes, maxImagePixels, imageFormats }: ImageLimits): Promise<PictureFile> {
  if (bytes.length > maxImageBytes) throw new ServerError('too_large', `The picture has more than ${maxImageBytes} bytes`)
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1')
  const format = Object.entries(signatures).find(([, signature]) => signature.test(head))?.[0]
  if (format === undefined || !imageFormats.includes(format)) {
    throw new ServerError('unsupported_media_type', `The content is not a picture of an allowed format (${imageFormats.join(', ')})`)
  }
  const still = head.startsWith('ftypavis', 4) ? asStill(bytes) : bytes
  const metadata = await readable(sharp(still, { limitInputPixels: false }).metadata())
  if (metadata.format !== (format === 'avif' ? 'heif' : format)) throw unreadable()
  if (metadata.width * metadata.height > maxImagePixels) throw new ServerError('too_large', `The picture has more than ${maxImagePixels} pixels`)
  return { bytes: still, format, ...metadata.autoOrient, isCmyk: metadata.space === 'cmyk', isProgressive: metadata.isProgressive }
}

/** libvips knows an animated AVIF only by the brand of its first frame, which is there as a picture of its own. */
function asStill (bytes: Uint8Array): Uint8Array {
  const still = Buffer.from(bytes)
  still.write('avif', 8, 'latin1')
  return still
}

/**
 * uint8 RGB of the first frame: upright by its EXIF tag, sRGB by its profile, alpha on white, CMYK as PIL reads it.
 * `prepare` adds steps of its own.
 */
async function readPixels (file: PictureFile, prepare: (picture: Sharp) => Sharp): Promise<Interleaved> {
  const decode = (bytes: Uint8Array, failOn: FailOnOptions) => {
    const whole = sharp(bytes, { failOn, limitInputPixels: false }).autoOrient()
    const picture = file.isCmyk
      ? whole.pipelineColourspace('cmyk').toColourspace('cmyk')
      : whole.flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha()
    return prepare(picture).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  }
  // The JPEG decoder only warns of lost pixels, as it does of harmless marks that cameras and phones leave.
  const decoding = file.format !== 'jpeg'
    ? decode(file.bytes, 'error')
    : decode(file.bytes, 'warning').catch(error => {
      if (harmlessJpegWarning.test(error.message)) return decode(file.bytes, 'error')
      if (isJpegCut.test(error.message) && !file.isProgressive) return decode(Buffer.concat([file.bytes, endOfJpeg]), 'warning')
      throw error
    })
  const { data, info: { width, height } } = await readable(decoding)
  return { pixels: file.isCmyk ? rgbOfCmyk(data) : data, width, height }
}

// Of libjpeg's messages, those after which every pixel is still read.
const harmlessJpegWarning = /extraneous bytes before marker|Invalid SOS parameters|unknown JFIF revision|Unknown Adobe color transform/
// With the end marker put back, pixels that are missing give a warning of their own. Not so the passes of a progressive file.
const isJpegCut = /premature end of JPEG image/
const endOfJpeg = Buffer.from([0xff, 0xd9])

/** As PIL does it, without a profile: each ink takes its share of what black leaves. */
function rgbOfCmyk (cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(cmyk.length / 4 * 3)
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const light = 255 - cmyk[from + 3]!
    for (let ink = 0; ink < 3; ink++) rgb[to++] = light - divideBy255(cmyk[from + ink]! * light)
  }
  return rgb
}

/** Rounded, exact below 65536. */
function divideBy255 (value: number): number {
  const near = value + 128
  return (near + (near >> 8)) >> 8
}

/** What sharp refuses is unreadable; its own words stay here, since they may tell of its insides. */
async function readable<T> (work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch {
    throw unreadable()
  }
}

function unreadable () {
  return new ServerError('image_unreadable', 'The picture is truncated or corrupt')
}
