/** Codes to conditions, against the official modules, and conditions to a picture, against a plain loop in PyTorch. */
import t from 'tap'
import { createPaintJob, paintStep } from '../../src/engine/stations/paint-job.ts'
import { createPixelDecoder } from '../../src/graphs/pixel-decoder.ts'
import { floatsOf, idsOf, lowresFolder, manifest, ofPicture, open, relativeError, row } from './fixtures/recorded.ts'

const tolerance = 1e-4
const pictures = [0, 1, 2].map(b => ofPicture(idsOf('quantizer.codes'), b))
const shape = manifest.pixel_decoder!
const sessions = {
  tokenizerDecoder: await open('tokenizer_decoder'),
  denoiser: await open('denoiser'),
  autoencoderDecoder: await open('autoencoder_decoder')
}
const lowres = await open('tokenizer_decoder', lowresFolder)
t.teardown(() => Promise.all([lowres, ...Object.values(sessions)].map(session => session.release())))

t.test('lowres conditions', async t => {
  const conditions = await createPixelDecoder({ tokenizerDecoder: lowres }, manifest, shape).conditions(pictures)
  for (const [b, { condition, pooled }] of conditions.entries()) {
    t.ok(relativeError(condition, row(floatsOf('lowres.cond'), b)) < tolerance, `picture ${b}`)
    t.equal(pooled, undefined)
  }
})

t.test('highres conditions, and their pooled half', async t => {
  const conditions = await createPixelDecoder(sessions, manifest, shape).conditions(pictures)
  for (const [b, { condition, pooled }] of conditions.entries()) {
    t.ok(relativeError(condition, row(floatsOf('highres.prompt_embeds'), b)) < tolerance, `condition of picture ${b}`)
    t.ok(relativeError(pooled!, row(floatsOf('highres.pooled'), b)) < tolerance, `pooled condition of picture ${b}`)
  }
})

t.test('25 guided steps lead to the latents and pixels of a plain loop', async t => {
  const decoder = createPixelDecoder(sessions, manifest, shape)
  const job = createPaintJob(
    pictures[0]!,
    { width: 96, height: 64, steps: 25, decoderGuidanceScale: 7, seed: 0 },
    0,
    shape
  )
  job.latents = job.latents.map((_, i) => 1.4 * Math.sin(1.7 * i)) // noise that both can draw
  while (job.result === undefined) await paintStep([job], decoder)
  const { pixels, ...frame } = job.result
  t.ok(
    relativeError(
      job.latents.filter((_, i) => i % 16 === 0),
      plainLatents
    ) < 1e-3,
    'latents'
  )
  t.strictSame(frame, { width: 96, height: 64 })
  const shown = pixels.filter((_, i) => i % 768 === 0)
  t.ok(
    shown.length === plainPixels.length && shown.every((value, i) => Math.abs(value - plainPixels[i]!) <= 1),
    'pixels, up to one level'
  )
})

// The official loop on the fixture's weights in PyTorch, float32: DDIM from t = 961 to 1, batches of [uncond, cond],
// u + 7 * (c - u), latents / 0.13025 into the autoencoder, (x / 2 + 0.5) * 255 rounded. Every 16th latent, every 768th
// byte.
const plainLatents = [
  -1.9697, 8.5567, -20.8002, -13.6284, 10.0987, -13.7349, -4.3634, 25.6047, -10.5073, -2.1098, 11.3159, -7.6341,
  -1.4238, -2.5884, 0.3674, 4.6958, 39.1551, -1.8652, -10.0816, -4.491, -15.1327, -30.3263, 14.8059, -0.1785
]
const plainPixels = [
  116, 167, 146, 141, 158, 129, 134, 0, 79, 145, 124, 138, 184, 169, 79, 100, 159, 0, 128, 7, 0, 146, 82, 118
]
