/** Pictures to send: those of the tests with some of their mirror images and colours, and a photograph-like one. */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'

const names = ['scene', 'apple', 'four']

/** Twelve PNG files of the world that the embedded model knows. */
export function readPictures (): Promise<Buffer[]> {
  return makePictures(12)
}

/** So many different ones: the pictures themselves first, then in other colours, every other set in the mirror. */
export async function makePictures (count: number): Promise<Buffer[]> {
  const files = await Promise.all(names.map(name => readFile(new URL(`../test/fixtures/${name}.png`, import.meta.url))))
  const made = Array.from({ length: count }, (_, i) => {
    const turn = Math.floor(i / files.length)
    const picture = sharp(files[i % files.length])
    if (turn > 0) picture.modulate({ hue: Math.round((360 * files.length * turn) / count) })
    return picture.flop(turn % 2 === 1).png().toBuffer()
  })
  return Promise.all(made)
}

/** A JPEG file of soft shapes and some grain, as a camera gives them. */
export async function makePhotograph (width: number, height: number): Promise<Buffer> {
  const grain = {
    width: width >> 2,
    height: height >> 2,
    channels: 3 as const,
    background: '#808080',
    noise: { type: 'gaussian' as const, mean: 128, sigma: 40 }
  }
  return await sharp({ create: grain })
    .blur(1.5)
    .resize(width, height, { kernel: 'cubic' })
    .jpeg({ quality: 85 })
    .toBuffer()
}
