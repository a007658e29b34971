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

  t.test('codes, alone and in a batch', async t => {
    const expected = pictures.map(b => ofPicture(idsOf('quantizer.codes'), b))
    t.strictSame(await tokenizer.toCodes(recorded), expected)
    for (const b of pictures) t.strictSame(await tokenizer.toCodes([recorded[b]!]), [expected[b]])
  })

  t.test('codes of all patches where all are kept, none is, or the first alone', async t => {
    for (const [decision, codes] of Object.entries(edgeCodes)) {
      const keep = Float32Array.from({ length: patches }, (_, i) =>
        decision === 'all_keep' || (decision === 'first_only' && i === 0) ? 1 : 0
      )
      const outputs = await sessions.mergerCodes.run({
        features: { type: 'float32', data: recorded[0]!.features, dims: [1, patches, 64] },
        keep: { type: 'float32', data: keep, dims: [1, patches] }
      })
      const actual = Array.from(outputs.codes!.data as BigInt64Array, Number)
      t.strictSame(
        actual.map((code, i) => (codes[i] === tie ? tie : code)),
        codes,
        decision
      )
    }
    t.strictSame(await tokenizer.toCodes([{ ...recorded[0]!, keepMask: new Array<boolean>(patches).fill(false) }]), [
      []
    ])
  })

  t.test('embeddings of all patches, and of those that are kept', async t => {
    for (const b of pictures) {
      const outputs = await sessions.mergerEmbeddings.run({
        features: { type: 'float32', data: recorded[b]!.features, dims: [1, patches, 64] },
        keep: { type: 'float32', data: row(floatsOf('selector.decision'), b), dims: [1, patches] }
      })
      t.ok(
        relativeError(floats(outputs, 'embeddings'), row(floatsOf('understanding.vit_proj'), b)) < tolerance,
        `picture ${b}`
      )
    }
    for (const [b, embeddings] of (await tokenizer.toEmbeddings(recorded)).entries()) {
      t.ok(relativeError(embeddings, ofPicture(floatsOf('understanding.kept'), b, 48)) < tolerance, `picture ${b}`)
    }
  })
})

/** Two codes are nearest up to 1e-5: either may win. */
const tie = -1

// The recorded merger outputs of picture 0 (edge.*) through the checkpoint's projection and codebook, in double
// precision.
const edgeCodes = {
  all_keep: [
    61, 1, 45, 61, 17, 61, 50, 43, 58, 41, 61, 61, 56, 43, 50, 43, 58, 41, 9, 3, 17, 61, 17, 56, 40, 41, 3, 17, 17, 41,
    17, 54, 58, 41, 31, 50, 56, 3, 3, 16, 58, 29, 0, 41, 2, 3, 9, 47, 58, 41, 4, 20, 2, 47, 9, 47, 63, 20, 6, 41, 2, 16,
    22, 47
  ],
  all_drop: [
    58, 1, 45, 61, 62, 43, 50, 43, 58, 41, 62, 61, 17, 43, 50, 43, 58, 39, 17, 50, 17, 27, 17, 43, 58, 29, 28, 50, 17,
    37, 17, 54, 31, 52, 23, 50, 1, 16, 3, 16, 31, 29, 19, 41, 15, 47, 9, 16, 63, 41, 4, 20, 34, 47, 47, 16, 63, 52, 9,
    47, 31, 16, 23, 16
  ],
  first_only: [
    58,
    1,
    45,
    61,
    62,
    61,
    50,
    28,
    58,
    41,
    62,
    61,
    17,
    43,
    50,
    19,
    58,
    39,
    28,
    50,
    17,
    61,
    17,
    28,
    40,
    29,
    3,
    50,
    3,
    16,
    17,
    54,
    31,
    52,
    23,
    50,
    17,
    16,
    3,
    16,
    31,
    20,
    59,
    41,
    15,
    47,
    9,
    16,
    63,
    20,
    31,
    20,
    9,
    47,
    3,
    16,
    63,
    20,
    9,
    20,
    31,
    tie,
    4,
    16
  ]
}
