import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { squash } from '../../../src/codecs/resize/squash.ts'

/** Bytes that look random: the top byte of i times Knuth's multiplier. */
const noise = (width: number, height: number) => ({
  pixels: Uint8Array.from({ length: 3 * width * height }, (_, i) => Math.imul(i, 2654435761) >>> 24),
  width,
  height
})

// sha256 of the same bytes resized by Pillow 12.3.0, `Image.resize((size, size), Image.BICUBIC)`, as planes
const cases: [width: number, height: number, size: number, sha256: string][] = [
  [200, 150, 112, 'de0bcaf68d1e9c42a09ccd994d9c4619f65b9b01f4bd353b0b4a5ad43339d423'],
  [97, 131, 112, 'e6284543dc973ec469250820f35edb2fbee9e94baa03f14894decfacc894ae19'],
  [16, 16, 8, 'dc64ab4e81e40b536ba05f7b27a6ef7dd92902d72691f35c5c2f47e8318fdd39'],
  [5, 7, 24, 'a4f25c87b31807c548bf6428075648b2bdd786376f755581e220d1f7e6baf09b'],
  [640, 480, 224, '1d40beeb295a3a75ad96971c437e25190cee928371be8140334bce32daa77e23'],
  [1, 1, 8, '9960b8daa0499cecc7143ab5a9ead0d8cb4ccc291c1625b3ed48363ee69297b2'],
  [1, 9, 6, '721084bb09e8421753b09bb09cdd0b6eed1f2884ebcde6caf8a7fa15e5274de7'],
  [9, 1, 6, '985059df4e1ca95b70f3c1b5a5d2fc5725d4ade90c2b606b75c4016e3addaab6'],
  [1023, 3, 14, 'eb12151e1d8e8a39aac1d05bd46329e07f10b71689bad6a9d89c86a7fb89cc9b'],
  [224, 224, 224, '5d68c86f7f20943e1f77640ce23904a0403fa9aa794f1eca5660f09170779939'],
  [300, 224, 224, '2248857de8f8074a32b0db7398a943e09c025e151331c4e3d8eca7c832990d2c'],
  [2048, 2048, 224, '2acffbcdd1f3307e4b268663ddd8c767381ca726fe616c0d2b076d8ca3acf915']
]

t.test('gives the bytes that Pillow gives', async t => {
  for (const [width, height, size, sha256] of cases) {
    const planes = squash(noise(width, height), size)
    t.equal(createHash('sha256').update(planes).digest('hex'), sha256, `${width} x ${height} to ${size}`)
  }
})

t.test('one colour stays that colour, at any size', async t => {
  const side = fc.integer({ min: 1, max: 60 })
  const colour = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255))
  await fc.assert(
    fc.property(side, side, fc.integer({ min: 1, max: 30 }), colour, (width, height, size, colour) => {
      const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => colour[i % 3]!)
      const planes = squash({ pixels, width, height }, size)
      return (
        planes.length === 3 * size * size && planes.every((value, i) => value === colour[Math.floor(i / (size * size))])
      )
    }),
    { numRuns: 200 }
  )
  t.pass()
})

t.test('at its own size a picture stays as it is', async t => {
  const { pixels } = noise(17, 17)
  const planes = squash({ pixels, width: 17, height: 17 }, 17)
  t.strictSame(
    Array.from(planes.subarray(0, 289)),
    Array.from(pixels).filter((_, i) => i % 3 === 0)
  )
  t.strictSame(
    Array.from(planes.subarray(578)),
    Array.from(pixels).filter((_, i) => i % 3 === 2)
  )
})
