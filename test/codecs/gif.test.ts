import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { covers, firstFrame, whitenAround } from '../../src/codecs/gif.ts'

const gif = await sharp({ create: { width: 5, height: 3, channels: 3, background: '#808080' } }).gif().toBuffer()
const at = gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0, 5, 0, 3, 0]))

t.test('finds where the first frame lies', t => {
  t.strictSame(firstFrame(gif), { left: 0, top: 0, width: 5, height: 3 })
  const moved = Buffer.from(gif)
  moved.writeUInt16LE(258, at + 1)
  moved.writeUInt16LE(7, at + 3)
  t.strictSame(firstFrame(moved), { left: 258, top: 7, width: 5, height: 3 })
  const comment = Buffer.from([0x21, 0xfe, 3, 0x2c, 0x2c, 0x2c, 1, 0x2c, 0])
  const commented = Buffer.concat([gif.subarray(0, at), comment, gif.subarray(at)])
  t.strictSame(firstFrame(commented), { left: 0, top: 0, width: 5, height: 3 }, 'behind a comment')
  t.end()
})

t.test('any bytes are read without a fault, and a file cut before its frame has none', t => {
  for (let length = 0; length < at + 10; length++) t.equal(firstFrame(gif.subarray(0, length)), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      firstFrame(bytes)
      firstFrame(Buffer.concat([gif.subarray(0, at), bytes]))
    })
  )
  t.end()
})

t.test('a frame covers a canvas that it reaches all corners of', t => {
  const canvas = { width: 5, height: 3 }
  t.ok(covers({ left: 0, top: 0, ...canvas }, canvas))
  t.ok(covers({ left: 0, top: 0, width: 6, height: 9 }, canvas))
  for (const part of [{ left: 1 }, { top: 1 }, { width: 4 }, { height: 2 }]) {
    t.notOk(covers({ left: 0, top: 0, ...canvas, ...part }, canvas), part)
  }
  t.end()
})

t.test('makes white what lies around, and nothing else', t => {
  const drawn = (frame: Parameters<typeof whitenAround>[0]) => {
    const pixels = new Uint8Array(4 * 3 * 3)
    whitenAround(frame, { pixels, width: 4, height: 3 })
    return Array.from({ length: 12 }, (_, i) => pixels.subarray(3 * i, 3 * i + 3).join()).map(colour =>
      colour === '0,0,0' ? '#' : colour === '255,255,255' ? '.' : '?').join('')
  }
  t.equal(drawn({ left: 1, top: 1, width: 2, height: 1 }), '....' + '.##.' + '....')
  t.equal(drawn({ left: 2, top: 0, width: 9, height: 9 }), '..##' + '..##' + '..##', 'it may reach beyond')
  t.equal(drawn({ left: 9, top: 9, width: 1, height: 1 }), '............', 'or lie beside the canvas')
  t.end()
})
