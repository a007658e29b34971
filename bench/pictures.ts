/** Pictures to send: those of the tests with some of their mirror images and colours, and a photograph-like one. */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'

const names = ['scene', 'apple', 'four']

/** Twelve PNG files of the world that the embedded model knows. */
export async function readPictures (): Promise<Buffer[]> {
  const files = await Promise.all(names.map(name => readFile(new URL(`../test/fixtures/${name}.png`, import.meta.url))))
  const made = files.flatMap(file => [
    sharp(file).flop(),
    sharp(file).modulate({ hue: 90 }),
    sharp(file).flop().modulate({ hue: 180 })
  ])
  return [...files, ...(await Promise.all(made.map(picture => picture.png().toBuffer())))]
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
