/** Pictures: bytes of a file to the pixels a vision graph takes, and painted pixels to the bytes of a file. */
import sharp, { type Metadata } from 'sharp'
import { ServerError } from '../errors.ts'
import { squash } from './resize.ts'

export type ImageLimits = { maxImageBytes: number, maxImagePixels: number, imageFormats: readonly string[] }

/** Formats a picture can be written in. */
export type PictureFormat = 'png' | 'webp' | 'jpeg'

sharp.concurrency(1) // one thread a picture gives the most pictures a second
sharp.cache(false)

const signatures = {
  png: /^\x89PNG\r\n/,
  jpeg: /^\xff\xd8\xff/,
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
  const { width, height } = await checkPicture(bytes, limits)
  return await inTurn(async () => {
    const whole = upright(bytes)
    const isHuge = width * height > mostPixels || Math.max(width, height) > longestSide
    const picture = isHuge ? whole.resize(Math.min(width, shrunkSide), Math.min(height, shrunkSide), { fit: 'fill', kernel: 'cubic' }) : whole
    const { data, info } = await readable(picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }))
    return await squash({ pixels: data, width: info.width, height: info.height }, size)
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
export async function dimPatches (bytes: Uint8Array, keepMask: boolean[], grid: { rows: number, columns: number }): Promise<Buffer> {
  const { data, info } = await readable(upright(bytes)
    .resize(overlaySide, overlaySide, { fit: 'inside', withoutEnlargement: true })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true }))
  const shade = Buffer.alloc(4 * keepMask.length) // black, `[rows, columns, 4]`
  keepMask.forEach((kept, patch) => { shade[4 * patch + 3] = kept ? 0 : dimmedAlpha })
  const overlay = await sharp(shade, { raw: { width: grid.columns, height: grid.rows, channels: 4 } })
    .resize(info.width, info.height, { fit: 'fill', kernel: 'nearest' })
    .png()
    .toBuffer()
  return await sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .composite([{ input: overlay }])
    .removeAlpha()
    .png()
    .toBuffer()
}

/** Painted pixels, uint8 `[height, width, 3]`, as a file. */
export async function encodePicture ({ pixels, width, height }: { pixels: Uint8Array, width: number, height: number }, format: PictureFormat): Promise<Buffer> {
  return await sharp(pixels, { raw: { width, height, channels: 3 } }).toFormat(format).toBuffer()
}

/** The checks that need the header only, so that nothing too large is ever decoded; gives the size of the upright picture. */
async function checkPicture (bytes: Uint8Array, { maxImageBytes, maxImagePixels, imageFormats }: ImageLimits) {
  if (bytes.length > maxImageBytes) throw new ServerError('too_large', `The picture has more than ${maxImageBytes} bytes`)
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1')
  const format = Object.entries(signatures).find(([, signature]) => signature.test(head))?.[0]
  if (format === undefined || !imageFormats.includes(format)) {
    throw new ServerError('unsupported_media_type', `The content is not a picture of an allowed format (${imageFormats.join(', ')})`)
  }
  const metadata = await readable<Metadata>(sharp(bytes, { limitInputPixels: false }).metadata())
  if (metadata.format !== (format === 'avif' ? 'heif' : format)) throw unreadable()
  if (metadata.width * metadata.height > maxImagePixels) throw new ServerError('too_large', `The picture has more than ${maxImagePixels} pixels`)
  return metadata.autoOrient
}

/** RGB without alpha, in the orientation that its EXIF tag asks for; the first frame of an animation. */
function upright (bytes: Uint8Array) {
  return sharp(bytes, { failOn: 'warning', limitInputPixels: false })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .removeAlpha()
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
