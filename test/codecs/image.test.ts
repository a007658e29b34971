// covers: src/codecs/pixels.ts
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { decodePicture, dimPatches, encodePicture } from '../../src/codecs/image.ts'
import { squash } from '../../src/codecs/resize/squash.ts'

const limits = { maxImageBytes: 100_000, maxImagePixels: 10_000, imageFormats: ['png', 'jpeg', 'webp', 'gif', 'avif'] }
const red = (width = 40, height = 20) => sharp({ create: { width, height, channels: 3, background: '#ff0000' } })
const noise = (side: number) =>
  sharp(Buffer.from(Array.from({ length: side * side * 3 }, (_, i) => (i * 7919 + (i >> 3) * 31) % 251)), {
    raw: { width: side, height: side, channels: 3 }
  })

/** Mean of each channel of `[3, 8, 8]`. */
async function means (bytes: Uint8Array, options = limits) {
  const pixels = await decodePicture(bytes, 8, options)
  return [0, 1, 2].map(channel =>
    Math.round(pixels.subarray(64 * channel, 64 * channel + 64).reduce((sum, value) => sum + value, 0) / 64)
  )
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
  [
    'transparent on white',
    sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } }).png(),
    [255, 255, 255]
  ]
]

t.test('reads', async t => {
  for (const [name, picture, expected] of readable) {
    const actual = await means(await picture.toBuffer())
    t.ok(
      actual.every((value, channel) => Math.abs(value - expected[channel]!) <= 2),
      `${name}: ${actual}`
    )
  }
  const [r, g, b] = await means(await red().toColourspace('cmyk').jpeg().toBuffer())
  t.ok(r! > 200 && g! < 40 && b! < 40, 'CMYK')
})

t.test('gives planes of RGB, squashed', async t => {
  const halves = await sharp({ create: { width: 32, height: 8, channels: 3, background: '#0000ff' } })
    .composite([{ input: await red(16, 8).png().toBuffer(), left: 0, top: 0 }])
    .png()
    .toBuffer()
  const pixels = await decodePicture(halves, 8, limits)
  t.equal(pixels.length, 3 * 8 * 8)
  t.strictSame([pixels[0], pixels[7], pixels[128], pixels[135]], [255, 0, 0, 255], 'red left, blue right')
})

t.test('squashes the decoded pixels as they are', async t => {
  const { data, info } = await noise(90).raw().toBuffer({ resolveWithObject: true })
  t.strictSame(
    await decodePicture(await noise(90).png().toBuffer(), 8, limits),
    squash({ pixels: data, width: info.width, height: info.height }, 8)
  )
})

t.test('shrinks huge pictures on the way, close to the exact way', async t => {
  for (const [width, height] of [
    [2100, 2300],
    [9000, 20],
    [20, 9000]
  ] as const) {
    const picture = sharp(await noise(90).blur(2).png().toBuffer()).resize(width, height, { fit: 'fill' })
    const { data } = await picture.clone().raw().toBuffer({ resolveWithObject: true })
    const [shrunk, exact] = [
      await decodePicture(await picture.png().toBuffer(), 32, { ...limits, maxImageBytes: 1e8, maxImagePixels: 1e8 }),
      squash({ pixels: data, width, height }, 32)
    ]
    const error = shrunk.reduce((sum, value, i) => sum + Math.abs(value - exact[i]!), 0) / exact.length
    t.ok(error < 0.5, `${width} x ${height}: mean error ${error}`)
  }
})

t.test('turns a picture upright by its EXIF tag', async t => {
  const lying = await sharp({ create: { width: 32, height: 8, channels: 3, background: '#0000ff' } })
    .composite([{ input: await red(16, 8).png().toBuffer(), left: 0, top: 0 }])
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer()
  const pixels = await decodePicture(lying, 8, limits)
  t.strictSame([pixels[0], pixels[63]], [255, 0], 'left became top')
})

t.test('any size gives the same shape', async t => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), async (width, height) => {
      return (await decodePicture(await red(width, height).png().toBuffer(), 8, limits)).length === 192
    }),
    { numRuns: 20 }
  )
  t.pass()
})

t.test('refuses what is cut off or corrupt with image_unreadable', async t => {
  const files = await Promise.all(
    (['png', 'jpeg', 'webp', 'gif', 'avif'] as const).map(
      async format => [format, await noise(90).toFormat(format).toBuffer()] as const
    )
  )
  for (const [format, bytes] of files) {
    for (const share of [0.1, 0.5, 0.9]) {
      await t.rejects(
        decodePicture(bytes.subarray(0, Math.max(32, bytes.length * share)), 8, limits),
        { code: 'image_unreadable' },
        `${format} ${share}`
      )
    }
  }
  const broken = Buffer.from(files[0]![1])
  broken.fill(0x5a, 400, 450)
  await t.rejects(decodePicture(broken, 8, limits), {
    code: 'image_unreadable',
    message: 'The picture is truncated or corrupt'
  })
})

/** Where the bytes of a marker are first found. */
const markerAt = (file: Buffer, marker: number) => file.indexOf(Buffer.from([0xff, marker]))
const insert = (file: Buffer, at: number, bytes: number[] | Buffer) =>
  Buffer.concat([file.subarray(0, at), Buffer.from(bytes), file.subarray(at)])

/** The same JPEG as cameras, phones and old programs write it: every decoder reads it, some with a warning. */
const oddJpegs: [name: string, alter: (jpeg: Buffer) => Buffer][] = [
  [
    'zeros at the end of the scan header',
    jpeg => {
      const scan = markerAt(jpeg, 0xda)
      const end = scan + 2 + jpeg.readUInt16BE(scan + 2)
      return Buffer.concat([jpeg.subarray(0, end - 3), Buffer.alloc(3), jpeg.subarray(end)])
    }
  ],
  ['zeros before a marker', jpeg => insert(jpeg, markerAt(jpeg, 0xdb), [0, 0, 0])],
  ['bytes before the scan', jpeg => insert(jpeg, markerAt(jpeg, 0xda), [0x12, 0x34])],
  ['fill bytes of a marker', jpeg => insert(jpeg, markerAt(jpeg, 0xdb), [0xff, 0xff])],
  [
    'a JFIF version to come',
    jpeg => insert(jpeg, 2, [0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 9, 0, 0, 0, 1, 0, 1, 0, 0])
  ],
  [
    'an unknown Adobe transform',
    jpeg => insert(jpeg, 2, [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 9])
  ],
  ['bytes after the end', jpeg => Buffer.concat([jpeg, Buffer.from('and more')])],
  ['zeros before the end', jpeg => insert(jpeg, jpeg.length - 2, Buffer.alloc(40))],
  ['no end marker', jpeg => jpeg.subarray(0, -2)]
]

t.test('reads a JPEG that is odd and whole, and refuses it cut', async t => {
  const jpeg = await noise(90).jpeg().toBuffer()
  const expected = await decodePicture(jpeg, 8, limits)
  for (const [name, alter] of oddJpegs) {
    const odd = alter(jpeg)
    t.strictSame(await decodePicture(odd, 8, limits), expected, name)
    for (const share of [0.3, 0.6, 0.9]) {
      await t.rejects(
        decodePicture(odd.subarray(0, odd.length * share), 8, limits),
        { code: 'image_unreadable' },
        `${name}, cut`
      )
    }
  }
  await t.rejects(
    decodePicture(Buffer.concat([jpeg.subarray(0, jpeg.length / 2), Buffer.from([0xff, 0xd9])]), 8, limits),
    { code: 'image_unreadable' },
    'an end marker where pixels are missing'
  )
  const progressive = await noise(90).jpeg({ progressive: true }).toBuffer()
  for (const share of [0.3, 0.6, 0.9]) {
    await t.rejects(
      decodePicture(progressive.subarray(0, progressive.length * share), 8, limits),
      { code: 'image_unreadable' },
      `progressive ${share}`
    )
  }
})

/** Chunks of a PNG as [type, content]. */
function chunksOf (png: Buffer) {
  const chunks: [type: string, content: Buffer][] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    chunks.push([png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + png.readUInt32BE(at))])
  }
  return chunks
}

function chunk (type: string, content: Buffer, checksum?: number) {
  const bytes = Buffer.alloc(12 + content.length)
  bytes.writeUInt32BE(content.length, 0)
  bytes.write(type, 4, 'latin1')
  content.copy(bytes, 8)
  bytes.writeUInt32BE(checksum ?? crc32(bytes.subarray(4, -4)), content.length + 8)
  return bytes
}

t.test('reads a PNG whose pixels are whole, and refuses others', async t => {
  const png = await noise(90).png().toBuffer()
  const expected = await decodePicture(png, 8, limits)
  const [header, ...rest] = chunksOf(png).map(([type, content]) => chunk(type, content))
  const pixels = Buffer.concat(chunksOf(png).flatMap(([type, content]) => (type === 'IDAT' ? [content] : [])))
  const build = (...chunks: Buffer[]) => Buffer.concat([png.subarray(0, 8), header!, ...chunks])
  const end = chunk('IEND', Buffer.alloc(0))
  const whole = chunk('IDAT', pixels)
  const readable: [name: string, file: Buffer][] = [
    ['a text with a wrong checksum', build(chunk('tEXt', Buffer.from('a\0b'), 1), ...rest)],
    ['a time of a wrong length', build(chunk('tIME', Buffer.from('zz')), ...rest)],
    ['a colour profile that is none', build(chunk('iCCP', Buffer.from('x\0\0junk')), ...rest)],
    ['no end', build(whole)],
    ['an end with a wrong checksum', build(whole, chunk('IEND', Buffer.alloc(0), 1))],
    ['bytes after the end', Buffer.concat([png, Buffer.from('and more')])]
  ]
  const broken: [name: string, file: Buffer][] = [
    ['pixels with a wrong checksum', build(chunk('IDAT', pixels, 1), end)],
    ['half the pixels', build(chunk('IDAT', pixels.subarray(0, pixels.length / 2)), end)],
    ['an unknown critical chunk', build(chunk('ABCD', Buffer.from('x')), ...rest)]
  ]
  for (const [name, file] of readable) t.strictSame(await decodePicture(file, 8, limits), expected, name)
  for (const [name, file] of broken) await t.rejects(decodePicture(file, 8, limits), { code: 'image_unreadable' }, name)
})

t.test('refuses pictures cut anywhere', async t => {
  for (const format of ['jpeg', 'webp', 'gif', 'avif', 'png'] as const) {
    const bytes = await noise(40).toFormat(format).toBuffer()
    const whole = format === 'png' ? bytes.length - 20 : bytes.length - 2 // the end of a PNG may be missing
    for (let length = 40; length < whole; length += Math.ceil(whole / 25)) {
      await t.rejects(
        decodePicture(bytes.subarray(0, length), 8, limits),
        { code: 'image_unreadable' },
        `${format}, ${length} of ${bytes.length}`
      )
    }
  }
})

// Eight fields of 8 x 8, four in a row; saved by Pillow 13.0 as CMYK with Adobe's marker. What Pillow's
// `convert('RGB')` gives for each:
const cmyk = Buffer.from(
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYICwwL' +
    'CgwJCgoK/8AAFAgAEAAgBEMRAE0RAFkRAEsRAP/EABoAAAMBAAMAAAAAAAAAAAAAAAAJCgYFBwj/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oA' +
    'DgRDAE0AWQBLAAA/AH+H+H+H+IAwAv8AEAYAX+IAwAv8QBo3yb3jdcw5wttrHcitxTI0if8Af//Z',
  'base64'
)
const cmykColours = [
  [255, 255, 255],
  [0, 255, 255],
  [255, 0, 255],
  [255, 255, 0],
  [0, 0, 0],
  [50, 140, 185],
  [62, 82, 216],
  [122, 117, 112]
]
const ycckColours = [
  [0, 134, 0],
  [77, 255, 30],
  [0, 47, 227],
  [179, 0, 0],
  [0, 0, 0],
  [83, 230, 137],
  [70, 240, 255],
  [0, 58, 0]
]

// The same fields by littlecms 2.19 through Pillow, as `profileToProfile` with the profile `inks` gives them.
const inkedColours = [
  [255, 255, 255],
  [0, 161, 223],
  [217, 37, 130],
  [255, 233, 34],
  [32, 32, 32],
  [99, 125, 166],
  [131, 92, 149],
  [131, 133, 134]
]
const inkedYcckColours = [
  [109, 98, 26],
  [135, 175, 78],
  [95, 65, 146],
  [180, 31, 0],
  [8, 8, 8],
  [121, 171, 160],
  [85, 179, 227],
  [48, 71, 29]
]

// Profiles of ICC version 2: a device of four inks by a table of its 16 corners in Lab, and greys of gamma 1.2.
const inks = inflateSync(
  Buffer.from(
    'eNpjYOCYwgAETA4MDAVFJUXOvpHePolJCuyvGBiBEAwSk4sLGPCCb9cgai/rMpAOWFJSi5OB9BYgjkkGOoKBgVEAyBYoLykAsRWAbBFHIycD' +
      'INuEgYE9Aaoe7OwSBuqCktQKsJF5+XmpIDoiMkoB3Y+5aSWGYIczMzHAwggOsPEZmZhZWNnYOTi5uHl4+fgFBIWERUTFxCUkpaRlZOXkFRSV' +
      'lFVU1dQ1NLW0dXT19A0MjYxNTM3MLSytrG1s7ewdHJ2cXVzd3D08vbx9fP38AwKDgkNCw8KBbouOiY2LT0hMSk5JTUvPyMzKzsnNyy8oLCou' +
      'KS0rr6isqq6pratvaGxqbmlta+/o7Oru6e3rnzBx0uQpU6dNnzFz1uw5c+fNX7Bw0eIlS5ctX7Fy1eo1a9et37Bx0+YtW7dt37Fz1+49e/ft' +
      'P3Dw0OEjR48dP3Hy1OkzZ8+dv3Dx0uUrV69dv3Hz1u07d+/df/Dw0eMnT589f/Hy1es3b9+9//Dx0+cvX799//Hz1+8/f//9H/X/qP9Hsv//' +
      'NzSoNTS8rr6q3NDQcKxauKGh9OAFoYaGmUnB4g0NvbErRBsafFb4cTc0uC1eDCRH08uo/0ey/wFwmLCV',
    'base64'
  )
)
const greys = inflateSync(
  Buffer.from(
    'eNpjYGB0YQACJgcGhuLkvCL3IMfIiMgoBfZXDIxACAaJycUFDHjBt2sQtZd1GUgHLCmpxclAegsQxyQXFJUwMDAKANkC5SUFILYCkC2SHRLk' +
      'DGSbgMSh6sHOLmGgLihJrQAbmZeflwqiQWGB7sfk0qIyqHJGRmMGBgARHR2k',
    'base64'
  )
)

function withProfile (jpeg: Buffer, profile: Buffer) {
  const content = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01'), profile])
  const head = Buffer.from([0xff, 0xe2, 0, 0])
  head.writeUInt16BE(content.length + 2, 2)
  return insert(jpeg, 2, Buffer.concat([head, content]))
}

/** The colours in the midst of the eight fields. */
async function fieldsOf (file: Buffer) {
  const pixels = await decodePicture(file, 32, limits) // as wide as the file, twice as high
  return Array.from({ length: 8 }, (_, field) =>
    [0, 1, 2].map(channel => pixels[1024 * channel + 32 * (field < 4 ? 4 : 27) + 4 + 8 * (field % 4)]!)
  )
}

/** The colours of the first row of four. */
async function topRow (file: Buffer) {
  const pixels = await decodePicture(file, 4, limits)
  return Array.from({ length: 4 }, (_, column) => [0, 1, 2].map(channel => pixels[16 * channel + column]!))
}

function same (t: Test, actual: number[][], expected: number[][], name: string) {
  const isNear = actual.every((colour, i) => colour.every((value, j) => Math.abs(value - expected[i]![j]!) <= 2))
  t.ok(isNear && actual.length === expected.length, `${name}: ${actual.join(' | ')}`)
}

t.test('reads CMYK without a profile of inks as PIL does, with and without the marker of Adobe', async t => {
  const ycck = Buffer.from(cmyk)
  ycck[markerAt(ycck, 0xee) + 15] = 2
  const bare = Buffer.concat([cmyk.subarray(0, 2), cmyk.subarray(18)])
  for (const [name, file, expected] of [
    ['Adobe', cmyk, cmykColours],
    ['YCCK', ycck, ycckColours],
    ['no marker', bare, cmykColours],
    ['a profile that is none', withProfile(cmyk, Buffer.from(' a profile')), cmykColours],
    ['a profile of greys', withProfile(cmyk, greys), cmykColours]
  ] as const) {
    t.strictSame(await fieldsOf(file), expected, name)
  }
})

t.test('reads CMYK by the profile of its inks', async t => {
  const ycck = Buffer.from(cmyk)
  ycck[markerAt(ycck, 0xee) + 15] = 2
  for (const [name, file, expected] of [
    ['Adobe', cmyk, inkedColours],
    ['YCCK', ycck, inkedYcckColours]
  ] as const) {
    same(t, await fieldsOf(withProfile(file, inks)), expected, name)
  }
})

t.test('reads more than 8 bits by their profile', async t => {
  const p3 = (await sharp(await red().withIccProfile('p3').png().toBuffer()).metadata()).icc!
  const deep = (samples: number[], channels: 1 | 3 | 4) =>
    sharp(new Uint8Array(Array<number[]>(4).fill(samples).flat()), { raw: { width: 4, height: 4, channels } })
      .toColourspace(channels === 1 ? 'grey16' : 'rgb16').png().toBuffer()
  const profiled = (png: Buffer, profile: Buffer) =>
    insert(png, 33, chunk('iCCP', Buffer.concat([Buffer.from('p\0\0'), deflateSync(profile)])))
  const [rgb, rgba, grey] = [
    await deep([62, 82, 216, 200, 30, 60, 20, 180, 90, 0, 0, 0], 3),
    await deep([62, 82, 216, 255, 200, 30, 60, 255, 20, 180, 90, 255, 200, 30, 60, 128], 4),
    await deep([10, 64, 128, 220], 1)
  ]
  // What littlecms 2.19 gives for the same samples through Pillow, on white where they are half transparent:
  const expected = [[57, 83, 224], [218, 0, 55], [0, 183, 78]]
  const ofGreys = [39, 121, 177, 236].map(level => [level, level, level])
  const asIs = [10, 64, 128, 220].map(level => [level, level, level])
  same(t, await topRow(profiled(rgb, p3)), [...expected, [0, 0, 0]], 'RGB')
  same(t, await topRow(profiled(rgba, p3)), [...expected, [236, 127, 155]], 'RGB with alpha')
  same(t, await topRow(profiled(grey, greys)), ofGreys, 'grey')
  same(t, await topRow(profiled(grey, p3)), asIs, 'grey with a profile of RGB')
  same(t, await topRow(profiled(grey, Buffer.from('junk'))), asIs, 'a profile that is none')

  const blue = sharp({ create: { width: 16, height: 16, channels: 3, background: 'rgb(62, 82, 216)' } })
  const avif = await blue.withIccProfile('p3').avif({ bitdepth: 10, quality: 95 }).toBuffer()
  t.match(await sharp(avif).metadata(), { depth: 'ushort', hasProfile: true })
  same(t, (await topRow(avif)).slice(0, 1), [[62, 82, 216]], 'AVIF of 10 bits')
})

t.test('reads the first frame of animations', async t => {
  const frames = [255, 0].map(grey => Buffer.alloc(16 * 16 * 3, grey))
  const film = sharp(Buffer.concat(frames), { raw: { width: 16, height: 32, channels: 3, pageHeight: 16 } })
  for (const format of ['gif', 'webp'] as const) {
    t.strictSame(await means(await film.clone().toFormat(format).toBuffer()), [255, 255, 255], format)
  }
  const avif = await red().avif().toBuffer()
  avif.write('avis', 8, 'latin1') // what an animation calls itself; its first frame is also a still picture
  t.strictSame(await means(avif), [254, 0, 0])
})

t.test('a GIF is white where its first frame does not lie', async t => {
  const canvas = { width: 8, height: 6 }
  const frames: [left: number, top: number, expected: string[]][] = [
    [3, 2, ['........', '........', '...##...', '...##...', '........', '........']],
    [6, 4, ['........', '........', '........', '........', '......##', '......##']]
  ]
  for (const [left, top, expected] of frames) {
    const gif = await red(2, 2).gif().toBuffer()
    const [screen, frame] = [Buffer.alloc(4), Buffer.alloc(4)]
    screen.writeUInt16LE(canvas.width)
    screen.writeUInt16LE(canvas.height, 2)
    frame.writeUInt16LE(left)
    frame.writeUInt16LE(top, 2)
    screen.copy(gif, 6)
    frame.copy(gif, gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0, 2, 0, 2, 0])) + 1)
    const { width, height } = await sharp(gif).metadata()
    t.match({ width, height }, canvas)
    const png = await dimPatches(gif, { keepMask: [true], grid: { rows: 1, columns: 1 } }, limits)
    const data = await sharp(png).raw().toBuffer()
    const colours = Array.from({ length: 48 }, (_, i) => data.toString('hex', 3 * i, 3 * i + 3))
    const drawn = colours.map(colour => (colour === 'ffffff' ? '.' : colour === 'ff0000' ? '#' : '?')).join('')
    t.equal(drawn, expected.join(''))
    const pixels = await decodePicture(gif, 1, limits)
    t.ok(pixels[1]! > 200, `squashed: ${pixels}`)
  }
})

t.test('goes by content, and by the list of formats', async t => {
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10" fill="red"/></svg>'
  )
  await t.rejects(decodePicture(svg, 8, limits), { code: 'unsupported_media_type' })
  t.strictSame(await means(svg, { ...limits, imageFormats: ['svg'] }), [255, 0, 0])
  for (const [name, bytes] of [
    ['text', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['TIFF', await red().tiff().toBuffer()],
    ['PDF', Buffer.from('%PDF-1.4')]
  ] as const) {
    await t.rejects(decodePicture(bytes, 8, limits), { code: 'unsupported_media_type' }, name)
  }
  await t.rejects(decodePicture(await red().png().toBuffer(), 8, { ...limits, imageFormats: ['jpeg'] }), {
    code: 'unsupported_media_type'
  })
})

t.test('holds the limits before decoding', async t => {
  await t.rejects(decodePicture(await red(101, 100).png().toBuffer(), 8, limits), {
    code: 'too_large',
    message: /10000 pixels/
  })
  await t.rejects(decodePicture(await noise(90).png().toBuffer(), 8, { ...limits, maxImageBytes: 1000 }), {
    code: 'too_large',
    message: /1000 bytes/
  })
})

t.test('dims the patches that were dropped', async t => {
  const png = await dimPatches(
    await red(40, 20).png().toBuffer(),
    { keepMask: [true, false], grid: { rows: 1, columns: 2 } },
    limits
  )
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  t.match(info, { width: 40, height: 20, channels: 3 })
  t.equal(data[0], 255)
  t.ok(data[39 * 3]! < 100)
})

t.test('writes painted pixels in each format', async t => {
  for (const format of ['png', 'webp', 'jpeg'] as const) {
    t.match(
      await sharp(await encodePicture({ pixels: new Uint8Array(4 * 2 * 3), width: 4, height: 2 }, format)).metadata(),
      { format, width: 4, height: 2 }
    )
  }
})
