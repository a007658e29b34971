/** What an engine is asked to do, and what it answers, in the model's terms. */

/** Which patches of a picture stay. */
export type Selection = {
  rule: 'threshold' | 'sample'
  /** A patch stays when its keep probability is at least this; read by `threshold`. */
  keepThreshold: number
  /** Seeds the independent draw of each patch; read by `sample`. */
  seed: number
  /** Keep at least the best-scored N. */
  minVisualTokens?: number
  /** Keep at most the best-scored N. */
  maxVisualTokens?: number
}

/** What a model makes of a picture of N patches before it chooses among them, row-major. */
export type Encoding = {
  features: Float32Array // [N, feature_dim]
  keepProbabilities: Float32Array // [N]
  familiarity?: number // 0 to 1; of a model of a closed domain
  /** What the language model was given of it, so that a second question need not merge again. */
  merged?: Merged
}

/** The kept rows of the understanding merger, [kept, hidden_size], and which were kept. */
export type Merged = { keepMask: boolean[]; embeddings: Float32Array }

/**
 * A picture as the vision graph takes it (`pixels` is uint8 `[3, size, size]`, RGB, row-major), or what the model made
 * of it before. Where pixels come with the name of their encoding, the result brings the encoding.
 */
export type Picture = ({ pixels: Uint8Array } | { encoding: Encoding }) & { ref?: string; selection: Selection }

/**
 * A piece of the language model's context, in order.
 * `ids`: vocabulary ids as they stand. `features`: the kept rows of the understanding merger (continuous).
 * `codes`: the picture's visual token ids (discrete). Image start and end ids are pieces of kind `ids`.
 */
export type Segment<P = Picture> =
  { kind: 'ids'; ids: number[] } | { kind: 'features'; picture: P } | { kind: 'codes'; picture: P }

export type Sampling = {
  maxTokens: number
  minTokens: number
  temperature: number // 0 is greedy
  topP: number // 1 is off
  topK: number // 0 is off
  repetitionPenalty: number // 1 is off
  seed: number
}

export type Painting = {
  width: number
  height: number
  steps: number
  decoderGuidanceScale: number
  seed: number
}

/** One request, in the model's terms. */
export type Work<P = Picture> =
  | { task: 'tokenize'; picture: P }
  | {
    task: 'text'
    segments: Segment<P>[]
    sampling: Sampling
    numBeams: number
    lengthPenalty: number
    earlyStopping: boolean
    n: number
  }
  | {
    task: 'generate'
    segments: Segment<P>[]
    sampling: Sampling
    guidanceScale: number
    painting: Painting
    n: number
    /** Pictures that are painted of the first tokens of each. */
    previews?: number
  }
  | { task: 'detokenize'; codes: number[]; painting: Painting }

/** `familiarity`, 0 to 1: how much a picture is like what a model of a closed domain knows. */
export type TokenizeResult = {
  codes: number[]
  keepMask: boolean[]
  keepProbabilities: number[]
  familiarity?: number
  encoding?: Encoding
}

/**
 * A text as ids. `logProbability` is the model's own: the sum over its tokens and the end, before penalties, guidance
 * and temperature. `score` is what a beam search ranks by, `seed` what a drawn text comes of.
 */
export type Sequence = {
  ids: number[]
  logProbability: number
  finishReason: 'stop' | 'length'
  score?: number
  seed?: number
}

export type TextResult = {
  sequences: Sequence[] // best first
  visualTokens: number // of the prompt's pictures
  promptTokens: number // text ids of the prompt
  familiarity?: number // of the least familiar picture of the prompt
  encoding?: Encoding // of the first picture of the prompt that has a name
}
/** `pixels` is uint8 `[height, width, 3]`; `seed` is that of this picture, see `seedOfSample`. */
export type PaintedPicture = { pixels: Uint8Array; width: number; height: number; seed: number; codes: number[] }
export type PaintResult = { pictures: PaintedPicture[]; visualTokens: number; promptTokens: number }

/** What a request has so far. `sample` counts the texts or pictures of one request. */
export type Part =
  | { kind: 'queued'; position: number } // requests ahead of it that have not begun either
  | { kind: 'token'; sample: number; tokenId: number }
  | { kind: 'step'; sample: number; step: number; of: number } // `step` steps of the denoiser are done
  | { kind: 'preview'; sample: number; picture: PaintedPicture } // of the tokens so far
  | { kind: 'picture'; sample: number; picture: PaintedPicture }

export type ResultOf = { tokenize: TokenizeResult; text: TextResult; generate: PaintResult; detokenize: PaintResult }

/**
 * The seed of text or picture i of a request: a request of its own with this seed gives the same. Counts on within 32
 * bits.
 */
export function seedOfSample (seed: number, i: number): number {
  return (seed + i) % 2 ** 32
}
