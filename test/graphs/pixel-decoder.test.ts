import t from 'tap'
import { createPixelDecoder, toPixels } from '../../src/graphs/pixel-decoder.ts'
import type { Input, Output, Session } from '../../src/graphs/session.ts'
import { manifest } from '../engine/fixtures/fake-model.ts'
import { hostInputs } from '../fixtures/values.ts'

type Run = (inputs: Record<string, Input>) => Record<string, Output>

function fakeSession (run: Run, inputNames: string[] = []): Session & { seen: Record<string, Input>[] } {
  const seen: Record<string, Input>[] = []
  return {
    seen,
    inputNames,
    outputNames: [],
    outputShapes: {},
    async run (inputs) {
      seen.push(hostInputs(inputs))
      return run(hostInputs(inputs))
    },
    release: async () => {}
  }
}

const output = (data: number[], dims: number[]): Output => ({ data: Float32Array.from(data), dims })
const batchOf = (inputs: Record<string, Input>) => Object.values(inputs)[0]!.dims[0]!
const valuesOf = (data: Input['data']) => Array.from<number | bigint>(data)
const tokenizerDecoder = () =>
  fakeSession(inputs => {
    const rows = batchOf(inputs)
    return {
      condition: output(
        Array.from({ length: rows * 8 }, (_, i) => i),
        [rows, 4, 2]
      ),
      pooled: output(
        Array.from({ length: rows }, (_, i) => i),
        [rows, 1]
      )
    }
  })
const painter = () =>
  fakeSession(inputs => ({
    picture: output(new Array<number>(batchOf(inputs) * 12).fill(1), [batchOf(inputs), 3, 2, 2])
  }))
const denoiser = () =>
  fakeSession(inputs => ({
    prediction: output(
      Array.from(inputs.latents!.data as Float32Array, x => x * 2),
      [...inputs.latents!.dims]
    )
  }))

t.test('codes are padded to the number of patches and masked', async t => {
  const session = tokenizerDecoder()
  const decoder = createPixelDecoder({ tokenizerDecoder: session }, manifest, manifest.pixel_decoder)
  const conditions = await decoder.conditions([[7], [1, 2, 3, 4]])
  t.strictSame(session.seen[0]!.codes!.dims, [2, 4])
  t.strictSame(valuesOf(session.seen[0]!.codes!.data), [7n, 0n, 0n, 0n, 1n, 2n, 3n, 4n])
  t.strictSame(valuesOf(session.seen[0]!.mask!.data), [1, 0, 0, 0, 1, 1, 1, 1])
  t.strictSame(Array.from(conditions[1]!.condition), [8, 9, 10, 11, 12, 13, 14, 15])
  t.strictSame(Array.from(conditions[1]!.pooled!), [1])
  t.equal(conditions[1]!.picture, undefined)
  t.throws(() => decoder.painted(conditions[1]!.picture), /no painter/)
})

t.test('the denoiser is given all that the package has', async t => {
  const session = denoiser()
  const decoder = createPixelDecoder(
    { tokenizerDecoder: tokenizerDecoder(), painter: painter(), denoiser: session },
    manifest,
    manifest.pixel_decoder
  )
  const [condition] = await decoder.conditions([[1]])
  const latents = new Float32Array(12).fill(3)
  const predictions = await decoder.denoise(
    [
      { ...condition!, isConditional: true, latents, timestep: 0.5 },
      { ...condition!, isConditional: false, latents, timestep: 0.25 }
    ],
    { width: 2, height: 2 }
  )
  const [{ timestep, condition: conditions, pooled, picture }] = session.seen as [Record<string, Input>]
  t.strictSame(valuesOf(timestep!.data), [0.5, 0.25])
  t.strictSame(valuesOf(conditions!.data).slice(8), new Array(8).fill(0))
  t.strictSame(
    [conditions!.dims, pooled!.dims, picture!.dims],
    [
      [2, 4, 2],
      [2, 1],
      [2, 3, 2, 2]
    ]
  )
  t.strictSame(valuesOf(picture!.data).slice(12), new Array(12).fill(0))
  t.strictSame(
    predictions.map(row => Array.from(row)),
    [new Array(12).fill(6), new Array(12).fill(6)]
  )
  t.match(decoder.painted(condition!.picture), { width: 2, height: 2, pixels: new Uint8Array(12).fill(255) })
})

t.test('a denoiser with an unconditional embedding of its own is told when to use it', async t => {
  const session = fakeSession(
    inputs => ({ prediction: output(Array.from(inputs.latents!.data as Float32Array), [...inputs.latents!.dims]) }),
    ['conditional']
  )
  const decoder = createPixelDecoder(
    { tokenizerDecoder: tokenizerDecoder(), painter: painter(), denoiser: session },
    manifest,
    manifest.pixel_decoder
  )
  const [row] = await decoder.conditions([[1]])
  const latents = new Float32Array(12)
  await decoder.denoise(
    [
      { ...row!, isConditional: true, latents, timestep: 1 },
      { ...row!, isConditional: false, latents, timestep: 1 }
    ],
    { width: 2, height: 2 }
  )
  const { conditional, condition, pooled, picture } = session.seen[0]!
  t.strictSame([conditional!.dims, valuesOf(conditional!.data)], [[2], [1, 0]])
  t.strictSame(valuesOf(condition!.data), [...row!.condition, ...row!.condition])
  t.strictSame(
    [valuesOf(pooled!.data), valuesOf(picture!.data)],
    [[...row!.pooled!, ...row!.pooled!], new Array(24).fill(1)]
  )
})

t.test('the autoencoder is given unscaled latents, and its own size counts', async t => {
  const session = fakeSession(() => ({ picture: output(new Array<number>(12).fill(0), [1, 3, 1, 4]) }))
  const decoder = createPixelDecoder({ tokenizerDecoder: tokenizerDecoder(), autoencoderDecoder: session }, manifest, {
    ...manifest.pixel_decoder,
    scaling_factor: 0.5
  })
  const { width, height, pixels } = await decoder.finish(new Float32Array(3).fill(1), { width: 1, height: 1 })
  t.strictSame(valuesOf(session.seen[0]!.latents!.data), [2, 2, 2])
  t.strictSame([width, height, pixels.length], [4, 1, 12])
})

t.test('pixels are interleaved, clamped, and a half goes to even', async t => {
  const level = (byte: number) => (byte / 255) * 2 - 1
  t.strictSame(
    Array.from(toPixels(Float32Array.of(-9, level(10), 9, level(20), 0, level(30)), { width: 2, height: 1 })),
    [0, 255, 128, 10, 20, 30]
  )
})
