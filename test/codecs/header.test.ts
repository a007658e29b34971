import fc from 'fast-check'
import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { readHeader } from '../../src/codecs/header.ts'

const grey = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#808080' } })

const kinds: [name: string, format: 'png' | 'jpeg', prepare: (picture: Sharp) => Sharp][] = [
  ['PNG', 'png', picture => picture.png()],
  ['PNG in seven passes', 'png', picture => picture.png({ progressive: true })],
  ['PNG with alpha', 'png', picture => picture.ensureAlpha(0.5).png()],
  ['PNG of a palette', 'png', picture => picture.png({ palette: true })],
  ['JPEG', 'jpeg', picture => picture.jpeg()],
  ['progressive JPEG', 'jpeg', picture => picture.jpeg({ progressive: true })],
  ['grey JPEG', 'jpeg', picture => picture.toColourspace('b-w').jpeg()],
  ['JPEG with EXIF and a profile', 'jpeg', picture => picture.withMetadata({ orientation: 6 }).jpeg()]
]

for (const [name, format, prepare] of kinds) {
  t.test(`${name}: what a decoder tells`, async t => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), async (width, height) => {
        const bytes = await prepare(grey(width, height)).toBuffer()
        const told = await sharp(bytes).metadata()
        const read = readHeader(bytes, format)
        return read?.width === told.width && read.height === told.height && read.space === undefined &&
          (format === 'png' || read.isProgressive === told.isProgressive)
      }),
      { numRuns: 10 }
    )
    t.end()
  })
}

t.test('what takes more than a glance is left to a decoder', async t => {
  const [png, deep, jpeg, cmyk, webp] = await Promise.all([
    grey(9, 5).png().toBuffer(),
    grey(9, 5).toColourspace('rgb16').png().toBuffer(),
    grey(9, 5).jpeg().toBuffer(),
    grey(9, 5).toColourspace('cmyk').jpeg().toBuffer(),
    grey(9, 5).webp().toBuffer()
  ])
  t.equal(readHeader(deep, 'png'), undefined, 'more than 8 bits')
  t.equal(readHeader(cmyk, 'jpeg'), undefined, 'four components')
  t.equal(readHeader(webp, 'webp'), undefined, 'another format')
  t.equal(readHeader(png.subarray(0, 32), 'png'), undefined, 'cut off')
  t.equal(readHeader(jpeg.subarray(0, 100), 'jpeg'), undefined, 'cut off before the frame')
  const flat = Buffer.from(png)
  flat.writeUInt32BE(0, 16)
  t.equal(readHeader(flat, 'png'), undefined, 'no width')
})

t.test('any bytes are read without a fault', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('png', 'jpeg', 'gif'), (bytes, format) => {
      readHeader(bytes, format)
      readHeader(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), bytes]), format)
    })
  )
  t.end()
})
