/** The graphs that turn pixels into features, and the kept features into codes or embeddings. */
import { floats, integers, MisfitError, type Session } from './session.ts'
import { checkSize } from './sizes.ts'
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'

/** What encoder, selector and the judge of familiarity say of one picture of N patches, row-major. */
export type Encoded = {
  features: Float32Array // [N, feature_dim]
  keepProbabilities: Float32Array // [N]
  familiarity?: number // 0 to 1; of a model of a closed domain
}

/** One picture with its decision, as the mergers take it. */
export type Selected = { features: Float32Array; keepMask: boolean[] }

export type VisualTokenizer = ReturnType<typeof createVisualTokenizer>

/**
 * Throws a MisfitError where the mergers are those of a package for server 0.1, or the sizes are not the manifest's.
 */
export function createVisualTokenizer (
  sessions: {
    vision: Session
    tokenPredictor: Session
    mergerCodes: Session
    mergerEmbeddings: Session
    familiarity?: Session | undefined
  },
  { image, visual_tokenizer: { feature_dim: featureDim }, language_model: { hidden_size: hiddenSize } }: Manifest
) {
  const patches = patchesOf({ image })
  for (const merger of [sessions.mergerCodes, sessions.mergerEmbeddings]) {
    if (!merger.inputNames.includes('places')) {
      throw new MisfitError('the mergers take no places: the package is of an older server and has to be written anew')
    }
  }
  checkSize('vision', sessions.vision, 'features', featureDim, { field: 'visual_tokenizer.feature_dim' })
  checkSize('vision', sessions.vision, 'features', patches, { axis: 1, field: 'image.grid' })
  checkSize('merger_embeddings', sessions.mergerEmbeddings, 'embeddings', hiddenSize, {
    field: 'language_model.hidden_size'
  })
  return {
    /**
     * `pictures` are uint8 [3, size, size]. Their features are computed together; the selector and the judge of
     * familiarity look at one picture at a time, since scores in a batch may differ in the last bit from those of a
     * single picture.
     */
    async encode (pictures: Uint8Array[]): Promise<Encoded[]> {
      const pixels = new Uint8Array(pictures.length * 3 * image.size * image.size)
      for (const [b, picture] of pictures.entries()) pixels.set(picture, b * picture.length)
      const outputs = await sessions.vision.run({
        pixels: { type: 'uint8', data: pixels, dims: [pictures.length, 3, image.size, image.size] }
      })
      const all = floats(outputs, 'features') // [B, N, D]
      const encoded: Encoded[] = []
      for (const b of pictures.keys()) {
        const features = all.slice(b * patches * featureDim, (b + 1) * patches * featureDim)
        const x = { type: 'float32' as const, data: features, dims: [1, patches, featureDim] }
        // [1, N, 2]: keep, drop
        const logProbabilities = floats(await sessions.tokenPredictor.run({ x }), 'log_probabilities')
        const judged = await sessions.familiarity?.run({
          features: x,
          log_probabilities: { ...x, data: logProbabilities, dims: [1, patches, 2] }
        })
        encoded.push({
          features,
          keepProbabilities: Float32Array.from({ length: patches }, (_, i) => Math.exp(logProbabilities[i * 2] ?? NaN)),
          ...(judged && { familiarity: floats(judged, 'familiarity')[0] ?? NaN })
        })
      }
      return encoded
    },

    /** The codes of the kept patches, in raster order. */
    async toCodes ({ features, keepMask }: Selected): Promise<number[]> {
      const places = keptPlaces(keepMask)
      if (places.length === 0) return []
      const outputs = await sessions.mergerCodes.run(mergerInputs(features, places))
      return Array.from(integers(outputs, 'codes'), Number) // [1, K]
    },

    /** The kept rows of the understanding merger, [kept, hidden_size], in raster order. */
    async toEmbeddings ({ features, keepMask }: Selected): Promise<Float32Array> {
      const places = keptPlaces(keepMask)
      if (places.length === 0) return new Float32Array()
      return floats(await sessions.mergerEmbeddings.run(mergerInputs(features, places)), 'embeddings') // [1, K, H]
    }
  }

  /** One picture at a time: what the kept rows cost follows their number, and their bits depend on no other picture. */
  function mergerInputs (features: Float32Array, places: number[]) {
    return {
      features: { type: 'float32' as const, data: features, dims: [1, patches, featureDim] },
      places: { type: 'int64' as const, data: BigInt64Array.from(places, BigInt), dims: [1, places.length] }
    }
  }
}

function keptPlaces (keepMask: boolean[]): number[] {
  return keepMask.flatMap((isKept, place) => (isKept ? [place] : []))
}
