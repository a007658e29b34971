import sharp, { type Sharp } from 'sharp'
import fc from 'fast-check'
import t from 'tap'
import { decodePicture, dimPatches, encodePicture } from '../../src/codecs/image.ts'
import { squash } from '../../src/codecs/resize.ts'

const limits = { maxImageBytes: 100_000, maxImagePixels: 10_000, imageFormats: ['png', 'jpeg', 'webp', 'gif', 'avif'] }
const red = (width = 40, height = 20) => sharp({ create: { width, height, channels: 3, background: '#ff0000' } })
const noise = (side: number) => sharp(Buffer.from(Array.from({ length: side * side * 3 }, (_, i) => (i * 7919 + (i >> 3) * 31) % 251)), { raw: { width: side, height: side, channels: 3 } })

/** Mean of each channel of `[3, 8, 8]`. */
async function means (bytes: Uint8Array, options = limits) {
  const pixels = await decodePicture(bytes, 8, options)
  return [0, 1, 2].map(channel => Math.round(pixels.subarray(64 * channel, 64 * channel + 64).reduce((sum, value) => sum + value, 0) / 64))
}

const readable: [name: string, picture: Sharp, expected: number[]][] = [
  ['PNG', red().png(), [255, 0, 0]],
  ['JPEG', red().jpeg(), [254, 0, 0]],
  ['WebP', red().webp({ lossless: true }), [255, 0, 0]],
  ['GIF', red().gif(), [255, 0, 0]],
  ['AVIF', red().avif(), [254, 0, 0]],
  ['a palette', red().png({ palette: true }), [255, 0, 0]],
  ['16 bits', red().toColourspace('rgb16').png(), [255, 0, 0]],
  ['grey', red().greyscale().toColourspace('b-w').png(), [127, 127, 127]],
  ['16-bit grey', red().toColourspace('grey16').png(), [127, 127, 127]],
  ['one pixel', red(1, 1).png(), [255, 0, 0]],
  ['transparent on white', sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } }).png(), [255, 255, 255]]
]

t.test('reads', async t => {
  for (const [name, picture, expected] of readable) {
    const actual = await means(await picture.toBuffer())
    t.ok(actual.every((value, channel) => Math.abs(value - expected[channel]!) <= 2), `${name}: ${actual}`)
  }
  const [r, g, b] = await means(await red().toColourspace('cmyk').jpeg().toBuffer())
  t.ok(r! > 200 && g! < 40 && b! < 40, 'CMYK')
})

t.test('gives planes of RGB, squashed', async t => {
  const halves = await sharp({ create: { width: 32, height: 8, channels: 3, background: '#0000ff' } })
    .composite([{ input: await red(16, 8).png().toBuffer(), left: 0, top: 0 }]).png().toBuffer()
  const pixels = await decodePicture(halves, 8, limits)
  t.equal(pixels.length, 3 * 8 * 8)
  t.strictSame([pixels[0], pixels[7], pixels[128], pixels[135]], [255, 0, 0, 255], 'red left, blue right')
})

t.test('squashes the decoded pixels as they are', async t => {
  const { data, info } = await noise(90).raw().toBuffer({ resolveWithObject: true })
  t.strictSame(await decodePicture(await noise(90).png().toBuffer(), 8, limits), await squash({ pixels: data, width: info.width, height: info.height }, 8))
})

t.test('shrinks huge pictures on the way, close to the exact way', async t => {
  for (const [width, height] of [[2100, 2300], [9000, 20], [20, 9000]] as const) {
    const picture = sharp(await noise(90).blur(2).png().toBuffer()).resize(width, height, { fit: 'fill' })
    const { data } = await picture.clone().raw().toBuffer({ resolveWithObject: true })
    const [shrunk, exact] = [await decodePicture(await picture.png().toBuffer(), 32, { ...limits, maxImageBytes: 1e8, maxImagePixels: 1e8 }), await squash({ pixels: data, width, height }, 32)]
    const error = shrunk.reduce((sum, value, i) => sum + Math.abs(value - exact[i]!), 0) / exact.length
    t.ok(error < 0.5, `${width} x ${height}: mean error ${error}`)
  }
})

t.test('turns a picture upright by its EXIF tag', async t => {
  const lying = await sharp({ create: { width: 32, height: 8, channels: 3, background: '#0000ff' } })
    .composite([{ input: await red(16, 8).png().toBuffer(), left: 0, top: 0 }]).withMetadata({ orientation: 6 }).png().toBuffer()
  const pixels = await decodePicture(lying, 8, limits)
  t.strictSame([pixels[0], pixels[63]], [255, 0], 'left became top')
})

t.test('any size gives the same shape', async t => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), async (width, height) => {
    return (await decodePicture(await red(width, height).png().toBuffer(), 8, limits)).length === 192
  }), { numRuns: 20 })
  t.pass()
})

t.test('refuses what is cut off or corrupt with image_unreadable', async t => {
  const files = await Promise.all((['png', 'jpeg', 'webp', 'gif', 'avif'] as const).map(async format => [format, await noise(90).toFormat(format).toBuffer()] as const))
  for (const [format, bytes] of files) {
    for (const share of [0.1, 0.5, 0.9]) await t.rejects(decodePicture(bytes.subarray(0, Math.max(32, bytes.length * share)), 8, limits), { code: 'image_unreadable' }, `${format} ${share}`)
  }
  const broken = Buffer.from(files[0]![1])
  broken.fill(0x5a, 400, 450)
  await t.rejects(decodePicture(broken, 8, limits), { code: 'image_unreadable', message: 'The picture is truncated or corrupt' })
})

t.test('goes by content, and by the list of formats', async t => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10" fill="red"/></svg>')
  await t.rejects(decodePicture(svg, 8, limits), { code: 'unsupported_media_type' })
  t.strictSame(await means(svg, { ...limits, imageFormats: ['svg'] }), [255, 0, 0])
  for (const [name, bytes] of [['text', Buffer.from('hello')], ['nothing', Buffer.alloc(0)], ['TIFF', await red().tiff().toBuffer()], ['PDF', Buffer.from('%PDF-1.4')]] as const) {
    await t.rejects(decodePicture(bytes, 8, limits), { code: 'unsupported_media_type' }, name)
  }
  await t.rejects(decodePicture(await red().png().toBuffer(), 8, { ...limits, imageFormats: ['jpeg'] }), { code: 'unsupported_media_type' })
})

t.test('holds the limits before decoding', async t => {
  await t.rejects(decodePicture(await red(101, 100).png().toBuffer(), 8, limits), { code: 'too_large', message: /10000 pixels/ })
  await t.rejects(decodePicture(await noise(90).png().toBuffer(), 8, { ...limits, maxImageBytes: 1000 }), { code: 'too_large', message: /1000 bytes/ })
})

t.test('dims the patches that were dropped', async t => {
  const png = await dimPatches(await red(40, 20).png().toBuffer(), [true, false], { rows: 1, columns: 2 })
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  t.match(info, { width: 40, height: 20, channels: 3 })
  t.equal(data[0], 255)
  t.ok(data[39 * 3]! < 100)
})

t.test('writes painted pixels in each format', async t => {
  for (const format of ['png', 'webp', 'jpeg'] as const) {
    t.match(await sharp(await encodePicture({ pixels: new Uint8Array(4 * 2 * 3), width: 4, height: 2 }, format)).metadata(), { format, width: 4, height: 2 })
  }
})
