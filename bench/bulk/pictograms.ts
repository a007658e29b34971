/** Many small pictures that all differ, in a tar file. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'
import { pack } from 'tar-stream'

const size = 64
const atOnce = 16

/** So many PNG files of a square on a ground, each in colours of its own. */
export async function writeTar (path: string, count: number): Promise<void> {
  const tar = pack()
  const written = pipeline(tar, createWriteStream(path))
  for (let first = 0; first < count; first += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, count - first) }, (_, i) => first + i)
    const pictures = await Promise.all(numbers.map(drawPictogram))
    for (const [i, bytes] of pictures.entries()) {
      const name = `${String(first + i).padStart(7, '0')}.png`
      await new Promise<void>((resolve, reject) => {
        tar.entry({ name }, bytes, error => (error ? reject(error) : resolve()))
      })
    }
  }
  tar.finalize()
  await written
}

function drawPictogram (i: number): Promise<Buffer> {
  const pixels = Buffer.alloc(size * size * 3)
  const [left, top, side] = [4 + (i % 23), 4 + ((i * 7) % 19), 12 + ((i * 13) % 20)]
  for (let at = 0; at < size * size; at++) {
    const [x, y] = [at % size, Math.floor(at / size)]
    const isInside = x >= left && x < left + side && y >= top && y < top + side
    pixels.writeUIntBE(isInside ? (i * 40_503 + 7) & 0xffffff : 0xffffff - i, at * 3, 3)
  }
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } }).png({ compressionLevel: 1 }).toBuffer()
}
