/** Greedy captions of pictures that begin and end together. */
import { selectPatches } from '../../../src/engine/drawing/selector.ts'
import type { Heads } from '../../../src/graphs/heads.ts'
import type { CacheView, LanguageModel, NewTokens, Step } from '../../../src/graphs/language-model.ts'
import type { VisualTokenizer } from '../../../src/graphs/visual-tokenizer.ts'
import type { Manifest } from '../../../src/package/manifest.ts'

export type Model = {
  manifest: Manifest
  visualTokenizer: VisualTokenizer
  languageModel: LanguageModel
  heads: Heads
  isWhole: boolean // all ids are scored, in place of the words
}

const hidden = -1e9 // bias of a place that is not looked at
const unseen = 2 ** 20 // a position behind all others

/** Token ids of each caption, without the end. `pictures` are uint8 [3, size, size]. */
export async function writeCaptions (model: Model, pictures: Uint8Array[]): Promise<number[][]> {
  const { manifest, languageModel } = model
  const prompts = await readPictures(model, pictures)
  const lengths = prompts.map(rows => rows.length / manifest.language_model.hidden_size + 2)
  const width = Math.max(...lengths)
  let step = await languageModel.run(padded(prompts, lengths, width, manifest), nothing(prompts.length, manifest))
  let past: CacheView = {
    rows: prompts.length,
    places: width,
    bias: Float32Array.from(
      lengths.flatMap(length => Array.from({ length: width }, (_, i) => (i < width - length ? hidden : 0)))
    ),
    keys: step.newKeys,
    values: step.newValues
  }
  const written: number[][] = prompts.map(() => [])
  const isDone = prompts.map(() => false)
  for (let i = 0; i < manifest.tasks.caption.max_tokens; i++) {
    const tokenIds = await likeliest(model, step, isDone)
    for (const [row, token] of tokenIds.entries()) {
      isDone[row] ||= token === manifest.ids.end
      if (!isDone[row]) written[row]?.push(token)
    }
    if (isDone.every(Boolean)) break
    step = await languageModel.run({ count: 1, tokenIds, positions: lengths.map(length => length + i) }, past)
    past = grown(past, step, manifest)
  }
  return written
}

/** What is seen of each picture, [kept, hidden_size]. */
async function readPictures ({ manifest, visualTokenizer }: Model, pictures: Uint8Array[]): Promise<Float32Array[]> {
  const least = manifest.visual_tokenizer.min_visual_tokens
  const rule = { rule: 'threshold' as const, keepThreshold: 0.5, seed: 0 }
  const encoded = await visualTokenizer.encode(pictures)
  const read: Float32Array[] = []
  for (const one of encoded) {
    const keepMask = selectPatches(one.keepProbabilities, rule, least)
    read.push(await visualTokenizer.toEmbeddings({ features: one.features, keepMask }))
  }
  return read
}

/** Image start, picture and image end of each row, filled up on the left. */
function padded (prompts: Float32Array[], lengths: number[], width: number, { ids }: Manifest): NewTokens {
  const tokenIds: number[] = []
  const positions: number[] = []
  const places: number[] = []
  for (const [row, length] of lengths.entries()) {
    const padding = width - length
    for (let i = 0; i < width; i++) {
      const isPicture = i > padding && i < width - 1
      if (isPicture) places.push(row * width + i)
      tokenIds.push(i === padding ? ids.image_start : isPicture || i < padding ? 0 : ids.image_end)
      positions.push(i < padding ? unseen : i - padding)
    }
  }
  const embeddings = new Float32Array(prompts.reduce((sum, rows) => sum + rows.length, 0))
  let end = 0
  for (const rows of prompts) {
    embeddings.set(rows, end)
    end += rows.length
  }
  return { count: width, tokenIds, positions, embedded: { places, embeddings } }
}

/** One hidden place for each row, since a graph's dimension cannot be 0. */
function nothing (rows: number, { language_model: { layers, kv_heads: heads, head_dim: width } }: Manifest): CacheView {
  const each = Array.from({ length: layers }, () => new Float32Array(rows * heads * width))
  return { rows, places: 1, bias: new Float32Array(rows).fill(hidden), keys: each, values: each }
}

async function likeliest ({ heads, manifest, isWhole }: Model, { states }: Step, isDone: boolean[]): Promise<number[]> {
  const { ids, language_model: { hidden_size: width } } = manifest
  const rows = isDone.map((_, row) => states.subarray(row * width, (row + 1) * width))
  const words = await heads.words(rows)
  if (isWhole) await heads.everything(rows) // codes are scored, and no caption has one
  return words.map((scores, row) => {
    if (isDone[row]) return ids.end
    return scores.reduce((best, score, id) => (score > (scores[best] ?? -Infinity) ? id : best), 0)
  })
}

/** The past with the new token behind it. */
function grown ({ rows, places, bias, keys, values }: CacheView, step: Step, { language_model: shape }: Manifest) {
  const heads = rows * shape.kv_heads
  return {
    rows,
    places: places + 1,
    bias: joined(bias, new Float32Array(rows), rows),
    keys: keys.map((old, layer) => joined(old, step.newKeys[layer], heads * shape.head_dim)),
    values: values.map((old, layer) => joined(old, step.newValues[layer], heads))
  }
}

/** Two arrays of so many stripes, stripe behind stripe. */
function joined (old: Float32Array, fresh: Float32Array | undefined, stripes: number): Float32Array {
  if (fresh === undefined) throw new Error('the graph gives fewer layers than it takes')
  const all = new Float32Array(old.length + fresh.length)
  const [first, second] = [old.length / stripes, fresh.length / stripes]
  for (let i = 0; i < stripes; i++) {
    all.set(old.subarray(i * first, (i + 1) * first), i * (first + second))
    all.set(fresh.subarray(i * second, (i + 1) * second), i * (first + second) + first)
  }
  return all
}
