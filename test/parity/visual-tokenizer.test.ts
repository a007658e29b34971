// covers: src/graphs/visual-tokenizer.ts
/** Pictures to features, decisions, codes and embeddings, against the official modules. */
import t from 'tap'
import { decodePicture } from '../../src/codecs/image.ts'
import { selectPatches } from '../../src/engine/drawing/selector.ts'
import { floats } from '../../src/graphs/session.ts'
import { createVisualTokenizer } from '../../src/graphs/visual-tokenizer.ts'
import {
  floatsOf,
  idsOf,
  keepMaskOf,
  manifest,
  ofPicture,
  open,
  planesOf,
  pngOf,
  relativeError,
  row
} from './fixtures/recorded.ts'

const tolerance = 1e-4
const pictures = [0, 1, 2]
const patches = 64
const limits = { maxImageBytes: 1e6, maxImagePixels: 1e6, imageFormats: ['png'] }

t.test('pixels are squashed byte for byte', async t => {
  for (const b of pictures) {
    t.strictSame(
      Buffer.from(await decodePicture(await pngOf(b), manifest.image.size, limits)),
      Buffer.from(planesOf(b))
    )
  }
})

t.test('the graphs', async t => {
  const sessions = {
    vision: await open('vision'),
    tokenPredictor: await open('token_predictor'),
    mergerCodes: await open('merger_codes'),
    mergerEmbeddings: await open('merger_embeddings')
  }
  const tokenizer = createVisualTokenizer(sessions, manifest)
  t.teardown(() => Promise.all(Object.values(sessions).map(session => session.release())))
  const recorded = pictures.map(b => ({ features: row(floatsOf('encoder.features'), b), keepMask: keepMaskOf(b) }))

  t.test('features and keep probabilities', async t => {
    const encoded = await tokenizer.encode(pictures.map(planesOf))
    for (const b of pictures) {
      t.ok(relativeError(encoded[b]!.features, recorded[b]!.features) < tolerance, `features of picture ${b}`)
      t.ok(
        relativeError(encoded[b]!.keepProbabilities, row(floatsOf('predictor.keep_prob'), b)) < tolerance,
        `probabilities of picture ${b}`
      )
      t.strictSame(
        selectPatches(encoded[b]!.keepProbabilities, { rule: 'threshold', keepThreshold: 0.5, seed: 0 }, 0),
        recorded[b]!.keepMask
      )
    }
  })

  t.test('log probabilities', async t => {
    for (const b of pictures) {
      const { features } = await sessions.vision.run({
        pixels: { type: 'uint8', data: planesOf(b), dims: [1, 3, 112, 112] }
      })
      const x = { type: 'float32' as const, data: features!.data as Float32Array, dims: [1, patches, 64] }
      const outputs = await sessions.tokenPredictor.run({ x })
      t.ok(relativeError(floats(outputs, 'log_probabilities'), row(floatsOf('predictor.log_probs'), b)) < tolerance)
    }
  })

  t.test('codes', async t => {
    for (const b of pictures) {
      t.strictSame(await tokenizer.toCodes(recorded[b]!), ofPicture(idsOf('quantizer.codes'), b))
    }
  })

  t.test('codes where all patches are kept, the first alone, or none', async t => {
    for (const [count, codes] of [[patches, allKept], [1, allDroppedButFirst], [0, []]] as const) {
      const keepMask = Array.from({ length: patches }, (_, place) => place < count)
      t.strictSame(await tokenizer.toCodes({ ...recorded[0]!, keepMask }), codes)
    }
    const keepMask = new Array<boolean>(patches).fill(false)
    t.strictSame(await tokenizer.toEmbeddings({ ...recorded[0]!, keepMask }), new Float32Array())
  })

  t.test('embeddings', async t => {
    for (const b of pictures) {
      const embeddings = await tokenizer.toEmbeddings(recorded[b]!)
      t.ok(relativeError(embeddings, ofPicture(floatsOf('understanding.kept'), b, 48)) < tolerance, `picture ${b}`)
    }
  })
})

// The recorded merger outputs of picture 0 (edge.*) through the checkpoint's projection and codebook, in double
// precision.
const allKept = [
  61, 1, 45, 61, 17, 61, 50, 43, 58, 41, 61, 61, 56, 43, 50, 43,
  58, 41, 9, 3, 17, 61, 17, 56, 40, 41, 3, 17, 17, 41, 17, 54,
  58, 41, 31, 50, 56, 3, 3, 16, 58, 29, 0, 41, 2, 3, 9, 47,
  58, 41, 4, 20, 2, 47, 9, 47, 63, 20, 6, 41, 2, 16, 22, 47
]
const allDroppedButFirst = [58]
