/** Pictures: bytes of a file to the pixels a vision graph takes, and painted pixels to the bytes of a file. */
import sharp, { type Metadata } from 'sharp'
import { ImageUnreadableError, TooLargeError, UnsupportedMediaTypeError } from '../errors.ts'

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

// The longest side of a picture that goes back to the client.
const overlaySide = 1024
const dimmedAlpha = 190

/**
 * A picture file as uint8 `[3, size, size]`, RGB: turned upright, alpha on white, sRGB, squashed to the square.
 * Throws `too_large`, `unsupported_media_type` (not an allowed format by its content) or `image_unreadable`.
 */
export async function decodePicture (bytes: Uint8Array, size: number, limits: ImageLimits): Promise<Uint8Array> {
  await checkPicture(bytes, limits)
  const interleaved = await readable(upright(bytes)
    .resize(size, size, { fit: 'fill', kernel: 'cubic' })
    .raw({ depth: 'uchar' })
    .toBuffer()) // [size, size, 3]

  const places = size * size
  const pixels = new Uint8Array(3 * places)
  for (let place = 0; place < places; place++) {
    for (let channel = 0; channel < 3; channel++) pixels[channel * places + place] = interleaved[3 * place + channel]!
  }
  return pixels
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

/** The checks that need the header only, so that nothing too large is ever decoded. */
async function checkPicture (bytes: Uint8Array, { maxImageBytes, maxImagePixels, imageFormats }: ImageLimits) {
  if (bytes.length > maxImageBytes) throw new TooLargeError(`The picture has more than ${maxImageBytes} bytes`)
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1')
  const format = Object.entries(signatures).find(([, signature]) => signature.test(head))?.[0]
  if (format === undefined || !imageFormats.includes(format)) {
    throw new UnsupportedMediaTypeError(`The content is not a picture of an allowed format (${imageFormats.join(', ')})`)
  }
  const metadata = await readable<Metadata>(sharp(bytes, { limitInputPixels: false }).metadata())
  if (metadata.format !== (format === 'avif' ? 'heif' : format)) throw unreadable()
  if (metadata.width * metadata.height > maxImagePixels) throw new TooLargeError(`The picture has more than ${maxImagePixels} pixels`)
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
  return new ImageUnreadableError('The picture is truncated or corrupt')
}
