/**
 * A network that looks at pictures: an ONNX graph `pictures [B, 3, size, size]` in -1..1 to `features [B, ...]`, and
 * for a
 * judge also `concept [B, concepts]` and `ground [B, grounds]`. The JSON file of the same name tells size and labels.
 */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import sharp from 'sharp'
import { Type } from 'typebox'
import { floats, openSession, type Output } from '../../src/graphs/session.ts'
import { RequestError } from '../client.ts'
import { readChecked } from '../data/coco.ts'
import { DataError } from '../data/files.ts'

const About = Type.Object({
  size: Type.Integer({ minimum: 1, description: 'Side of the square that the graph takes' }),
  concepts: Type.Optional(Type.Array(Type.String())),
  grounds: Type.Optional(Type.Array(Type.String()))
})

/** A square of a picture: its centre and side as shares of the picture's width and height. */
export type Region = { x: number; y: number; side: number }

export type Network = Awaited<ReturnType<typeof openNetwork>>

export async function openNetwork (file: string) {
  if (!existsSync(file)) throw new DataError(`There is no network ${file}`)
  const { size, concepts, grounds } = readChecked(About, file.replace(/\.onnx$/, '.json'))
  const session = await openSession(file, { device: 'cpu', threads: availableParallelism() })
  const input = session.inputNames[0]!
  return {
    features: async (picture: Uint8Array): Promise<Float32Array> =>
      floats(await look([picture], [whole]), session.outputNames.length === 1 ? session.outputNames[0]! : 'features'),

    /**
     * The likeliest concept of each region of a picture, its scores by concept, and the likeliest ground of all
     * together.
     */
    ...(concepts &&
      grounds && {
      async recognise (picture: Uint8Array, regions: Region[]) {
        const outputs = await look(
          regions.map(() => picture),
          regions
        )
        const seen = rowsOf(outputs, 'concept', concepts.length)
        const behind = rowsOf(outputs, 'ground', grounds.length)
        return {
          concepts: seen.map(scores => concepts[largest(scores)]!),
          scoreOf: (region: number, concept: string) => seen[region]![concepts.indexOf(concept)] ?? -Infinity,
          ground: grounds[largest(grounds.map((_, i) => behind.reduce((sum, scores) => sum + scores[i]!, 0)))]!
        }
      }
    }),
    close: () => session.release()
  }

  async function look (pictures: Uint8Array[], regions: Region[]) {
    const data = new Float32Array(pictures.length * 3 * size * size)
    for (const [i, picture] of pictures.entries()) {
      data.set(await planes(picture, regions[i]!, size), i * 3 * size * size)
    }
    return await session.run({ [input]: { type: 'float32', data, dims: [pictures.length, 3, size, size] } })
  }
}

export const whole: Region = { x: 0.5, y: 0.5, side: 1 }

/** The region as `[3, size, size]` in -1..1, resized bilinearly with antialiasing. */
async function planes (picture: Uint8Array, { x, y, side }: Region, size: number): Promise<Float32Array> {
  const upright = sharp(picture).autoOrient().flatten({ background: '#ffffff' }).toColourspace('srgb').png()
  const image = sharp(
    await upright.toBuffer().catch((cause: Error) => {
      throw new RequestError(`the painted or the true picture cannot be decoded: ${cause.message}`, { cause })
    })
  )
  const { width, height } = await image.metadata()
  const span = (centre: number, length: number) => {
    const pixels = Math.max(1, Math.round(side * length))
    return { from: Math.min(Math.max(Math.round(centre * length - pixels / 2), 0), length - pixels), pixels }
  }
  const [across, down] = [span(x, width), span(y, height)]
  const raw = await image
    .removeAlpha()
    .extract({ left: across.from, top: down.from, width: across.pixels, height: down.pixels })
    .resize(size, size, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer() // [size, size, 3]
  const values = new Float32Array(3 * size * size)
  for (let place = 0; place < size * size; place++) {
    for (let channel = 0; channel < 3; channel++) {
      values[channel * size * size + place] = raw[3 * place + channel]! / 127.5 - 1
    }
  }
  return values
}

function rowsOf (outputs: Record<string, Output>, name: string, width: number): Float32Array[] {
  const values = floats(outputs, name)
  return Array.from({ length: values.length / width }, (_, i) => values.subarray(i * width, (i + 1) * width))
}

function largest (scores: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i
  return best
}
