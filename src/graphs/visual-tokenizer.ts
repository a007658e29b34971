/** The graphs that turn pixels into features, and the kept features into codes or embeddings. */
import { floats, integers, type Session } from './session.ts'
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
    async toCodes (selected: Selected[]): Promise<number[][]> {
      const outputs = await sessions.mergerCodes.run(mergerInputs(selected, patches, featureDim))
      const codes = integers(outputs, 'codes') // [B, N]
      return selected.map(({ keepMask }, b) => keptPlaces(keepMask).map(i => Number(codes[b * patches + i])))
    },

    /** The kept rows of the understanding merger, [kept, hidden_size], in raster order. */
    async toEmbeddings (selected: Selected[]): Promise<Float32Array[]> {
      const embeddings = floats(
        await sessions.mergerEmbeddings.run(mergerInputs(selected, patches, featureDim)),
        'embeddings'
      ) // [B, N, H]
      return selected.map(({ keepMask }, b) => {
        const places = keptPlaces(keepMask)
        const rows = new Float32Array(places.length * hiddenSize)
        for (const [row, i] of places.entries()) {
          const start = (b * patches + i) * hiddenSize
          rows.set(embeddings.subarray(start, start + hiddenSize), row * hiddenSize)
        }
        return rows
      })
    }
  }
}

function mergerInputs (selected: Selected[], patches: number, featureDim: number) {
  const features = new Float32Array(selected.length * patches * featureDim)
  const keep = new Float32Array(selected.length * patches)
  for (const [b, picture] of selected.entries()) {
    features.set(picture.features, b * patches * featureDim)
    for (const i of keptPlaces(picture.keepMask)) keep[b * patches + i] = 1
  }
  return {
    features: { type: 'float32' as const, data: features, dims: [selected.length, patches, featureDim] },
    keep: { type: 'float32' as const, data: keep, dims: [selected.length, patches] }
  }
}

function keptPlaces (keepMask: boolean[]): number[] {
  return keepMask.flatMap((isKept, place) => (isKept ? [place] : []))
}
