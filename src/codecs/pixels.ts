/**
 * Decoding, as the decoder processes do it: a file that passed the checks becomes the pixels of a model, or an overlay.
 */
import sharp, { type FailOnOptions, type Sharp } from 'sharp'
import { covers, firstFrame, whitenAround } from './gif.ts'
import type { Header } from './header.ts'
import { squash, type Interleaved } from './resize/squash.ts'

/** `width` and `height` are those of the upright picture, or of one that is not huge as they are stored. */
export type PictureFile = Header & { bytes: Uint8Array; format: string }

/** What a decoder makes of a file: uint8 `[3, size, size]`, or a PNG with the patches dimmed that were not kept. */
export type PictureWork =
  { kind: 'squash'; size: number } | { kind: 'dim'; keepMask: boolean[]; grid: { rows: number; columns: number } }

sharp.concurrency(1) // one thread a picture gives the most pictures a second
sharp.cache(false)

// A picture above these is shrunk on the way, to `shrunkSides` times the side of the square.
const mostPixels = 2 ** 22
const longestSide = 8192
const shrunkSides = 2.5

// The longest side of a picture that goes back to the client.
const overlaySide = 1024
const dimmedAlpha = 190

/** Rejects with the words of sharp or libvips for what they cannot read. */
export async function workOn (file: PictureFile, work: PictureWork): Promise<Uint8Array> {
  return work.kind === 'squash' ? await squashPicture(file, work.size) : await dimPatches(file, work)
}

/** Whether a picture is shrunk on the way. */
export function isHuge ({ width, height }: { width: number; height: number }): boolean {
  return width * height > mostPixels || Math.max(width, height) > longestSide
}

async function squashPicture (file: PictureFile, size: number): Promise<Uint8Array> {
  const { width, height } = file
  const side = Math.ceil(shrunkSides * size)
  const shrunk = { width: Math.min(width, side), height: Math.min(height, side) }
  return squash(
    await readPixels(file, picture => {
      return isHuge(file) ? picture.resize({ ...shrunk, fit: 'fill', kernel: 'cubic' }) : picture
    }),
    size
  )
}

async function dimPatches (
  file: PictureFile,
  { keepMask, grid }: Extract<PictureWork, { kind: 'dim' }>
): Promise<Buffer> {
  const { pixels, width, height } = await readPixels(file, picture => {
    return picture.resize(overlaySide, overlaySide, { fit: 'inside', withoutEnlargement: true })
  })
  const shade = Buffer.alloc(4 * keepMask.length) // black, `[rows, columns, 4]`
  keepMask.forEach((kept, patch) => {
    shade[4 * patch + 3] = kept ? 0 : dimmedAlpha
  })
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

/**
 * uint8 RGB of the first frame: upright by its EXIF tag, sRGB by its profile, CMYK without one as PIL reads it, and
 * alpha and what a frame leaves free on white. `prepare` adds steps of its own.
 */
async function readPixels (file: PictureFile, prepare: (picture: Sharp) => Sharp): Promise<Interleaved> {
  const frame = file.format === 'gif' ? firstFrame(file.bytes) : undefined
  if (!frame || covers(frame, file)) return await decodePixels(file, prepare)
  const { pixels, ...raw } = await decodePixels(file, picture => picture)
  whitenAround(frame, { pixels, ...raw })
  const { data, info: { width, height } } = await prepare(sharp(pixels, { raw: { ...raw, channels: 3 } }))
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { pixels: data, width, height }
}

async function decodePixels (file: PictureFile, prepare: (picture: Sharp) => Sharp): Promise<Interleaved> {
  const decode = (bytes: Uint8Array, failOn: FailOnOptions) => {
    const whole = sharp(bytes, { failOn, limitInputPixels: false }).autoOrient()
    if (file.space) whole.pipelineColourspace(file.space)
    const picture = file.space === 'cmyk'
      ? whole.toColourspace('cmyk')
      : whole.flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha()
    return prepare(picture).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  }
  // The JPEG decoder only warns of lost pixels, as it does of harmless marks that cameras and phones leave.
  const decoding =
    file.format !== 'jpeg'
      ? decode(file.bytes, 'error')
      : decode(file.bytes, 'warning').catch(error => {
        if (harmlessJpegWarning.test(error.message)) return decode(file.bytes, 'error')
        if (isJpegCut.test(error.message) && !file.isProgressive) {
          return decode(Buffer.concat([file.bytes, endOfJpeg]), 'warning')
        }
        throw error
      })
  const {
    data,
    info: { width, height }
  } = await decoding
  return { pixels: file.space === 'cmyk' ? rgbOfCmyk(data) : data, width, height }
}

// Of libjpeg's messages, those after which every pixel is still read.
const harmlessJpegWarning =
  /extraneous bytes before marker|Invalid SOS parameters|unknown JFIF revision|Unknown Adobe color transform/
// With the end marker put back, pixels that are missing give a warning of their own. Not so the passes of a progressive
// file.
const isJpegCut = /premature end of JPEG image/
const endOfJpeg = Buffer.from([0xff, 0xd9])

/** As PIL does it, without a profile: each ink takes its share of what black leaves. */
function rgbOfCmyk (cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3)
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
