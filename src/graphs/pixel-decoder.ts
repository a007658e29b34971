/** The graphs that turn codes back into a picture: tokenizer decoder, painter, denoiser, autoencoder decoder. */
import { floats, type Input, type Output, type Session } from './session.ts'
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'
import type { PixelDecoderShape } from '../package/pixel-decoder.ts'

export type Frame = { width: number; height: number }

/** What the denoiser is told about one picture. */
export type Condition = {
  condition: Float32Array // [N, C]
  pooled?: Float32Array // [E]
  picture?: Frame & { values: Float32Array } // [3, height, width] in -1..1, of the painter
}

/** One row of a denoiser batch; all rows of a batch have the same width and height. */
export type DenoiserRow = Condition & {
  /** Whether the row is told its condition; if not, it is the unconditional branch of guidance. */
  isConditional: boolean
  latents: Float32Array // [c, h, w]
  timestep: number
}

/** uint8 [height, width, 3]. */
export type Pixels = Frame & { pixels: Uint8Array }

export type PixelDecoder = ReturnType<typeof createPixelDecoder>

export function createPixelDecoder (
  sessions: {
    tokenizerDecoder: Session
    painter?: Session | undefined
    denoiser?: Session | undefined
    autoencoderDecoder?: Session | undefined
  },
  manifest: Pick<Manifest, 'image'>,
  { latent_channels: channels, scaling_factor: scalingFactor }: PixelDecoderShape
) {
  const patches = patchesOf(manifest)
  return {
    canDenoise: sessions.denoiser !== undefined,

    /**
     * Codes of each picture (1 to N) to its condition; always padded to N, so that a row cannot depend on its
     * neighbours.
     */
    async conditions (pictures: number[][]): Promise<Condition[]> {
      const outputs = await sessions.tokenizerDecoder.run(codeInputs(pictures, patches))
      const condition = rowsOf(outputs, 'condition', pictures.length)
      const pooled = outputs.pooled === undefined ? undefined : rowsOf(outputs, 'pooled', pictures.length)
      const painted = sessions.painter && (await paint(sessions.painter, condition, patches))
      return condition.map((rows, b) => ({
        condition: rows,
        ...(pooled?.[b] && { pooled: pooled[b] }),
        ...(painted?.[b] && { picture: painted[b] })
      }))
    },

    /**
     * The prediction for each row: velocity or noise, [c, h, w]. `frame` is the size of the latents. A graph with the
     * input `conditional` holds its own unconditional embedding; for others, no condition is all zeros.
     */
    async denoise (rows: DenoiserRow[], frame: Frame): Promise<Float32Array[]> {
      const { denoiser } = sessions
      const [first] = rows
      if (!denoiser || !first) throw new Error('there is nothing to denoise, or nothing that does it')
      const hasOwn = denoiser.inputNames.includes('conditional')
      const told = hasOwn ? rows : rows.map(row => (row.isConditional ? row : { ...row, ...zeros(row) }))
      const inputs: Record<string, Input> = {
        latents: stacked(
          rows.map(row => row.latents),
          [channels, frame.height, frame.width]
        ),
        timestep: { type: 'float32', data: Float32Array.from(rows, row => row.timestep), dims: [rows.length] },
        condition: stacked(
          told.map(row => row.condition),
          [patches, first.condition.length / patches]
        )
      }
      const { pooled, picture } = first
      if (pooled) {
        inputs.pooled = stacked(
          told.flatMap(row => row.pooled ?? []),
          [pooled.length]
        )
      }
      if (picture) {
        inputs.picture = stacked(
          told.flatMap(row => row.picture?.values ?? []),
          [3, picture.height, picture.width]
        )
      }
      if (hasOwn) {
        const conditional = Float32Array.from(rows, row => Number(row.isConditional))
        inputs.conditional = { type: 'float32', data: conditional, dims: [rows.length] }
      }
      return rowsOf(await denoiser.run(inputs), 'prediction', rows.length)
    },

    /** Finished latents to pixels. Without an autoencoder the latents are the picture. */
    async finish (latents: Float32Array, frame: Frame): Promise<Pixels> {
      if (sessions.autoencoderDecoder === undefined) return { pixels: toPixels(latents, frame), ...frame }
      const outputs = await sessions.autoencoderDecoder.run({
        latents: stacked([latents.map(x => x / scalingFactor)], [channels, frame.height, frame.width])
      })
      const size = frameOf(outputs.picture)
      return { pixels: toPixels(floats(outputs, 'picture'), size), ...size }
    },

    /** The painter's own picture. Throws when the package has no painter. */
    painted (picture: Condition['picture']): Pixels {
      if (picture === undefined) throw new Error('the package has no painter')
      const { values, width, height } = picture
      return { pixels: toPixels(values, { width, height }), width, height }
    }
  }
}

function zeros ({ condition, pooled, picture }: Condition): Condition {
  return {
    condition: new Float32Array(condition.length),
    ...(pooled === undefined ? {} : { pooled: new Float32Array(pooled.length) }),
    ...(picture === undefined ? {} : { picture: { ...picture, values: new Float32Array(picture.values.length) } })
  }
}

/**
 * A picture [3, height, width] in -1..1 as bytes [height, width, 3]; a half is rounded to even, by the clamped array.
 */
export function toPixels (picture: Float32Array, { width, height }: Frame): Uint8Array {
  const area = width * height
  const pixels = new Uint8ClampedArray(area * 3)
  for (let i = 0; i < area; i++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[i * 3 + channel] = ((picture[channel * area + i] ?? NaN) / 2 + 0.5) * 255
    }
  }
  return new Uint8Array(pixels.buffer)
}

function codeInputs (pictures: number[][], patches: number): Record<string, Input> {
  const codes = new BigInt64Array(pictures.length * patches)
  const mask = new Float32Array(pictures.length * patches)
  for (const [b, picture] of pictures.entries()) {
    for (const [i, code] of picture.entries()) {
      codes[b * patches + i] = BigInt(code)
      mask[b * patches + i] = 1
    }
  }
  const dims = [pictures.length, patches]
  return { codes: { type: 'int64', data: codes, dims }, mask: { type: 'float32', data: mask, dims } }
}

async function paint (painter: Session, conditions: Float32Array[], patches: number) {
  const width = (conditions[0]?.length ?? 0) / patches
  const outputs = await painter.run({ condition: stacked(conditions, [patches, width]) })
  const frame = frameOf(outputs.picture)
  return rowsOf(outputs, 'picture', conditions.length).map(values => ({ ...frame, values }))
}

/** Of a picture [B, 3, height, width]. */
function frameOf (picture: Output | undefined): Frame {
  const [, , height = 0, width = 0] = picture?.dims ?? []
  return { height, width }
}

function stacked (rows: Float32Array[], dims: number[]): Input {
  const data = new Float32Array(rows.length * (rows[0]?.length ?? 0))
  for (const [b, row] of rows.entries()) data.set(row, b * row.length)
  return { type: 'float32', data, dims: [rows.length, ...dims] }
}

function rowsOf (outputs: Record<string, Output>, name: string, rows: number): Float32Array[] {
  const data = floats(outputs, name)
  const length = data.length / rows
  return Array.from({ length: rows }, (_, b) => data.slice(b * length, (b + 1) * length))
}
