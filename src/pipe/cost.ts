/**
 * What a request may cost at most, and whether it can run at all: asked by the server before it reads pixels, and by
 * the engine.
 */
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'
import type { Painting, Segment, Selection, Work } from './work.ts'

const previewSteps = 4
const pixelsPerToken = 256 // a paint step on that many pixels is charged as one token

/** Rows beside those that requests are promised: for requests of few rows while a wide one waits. */
export const reservedRows = 4

/** A request whose pictures need not be read yet. */
export type Planned = Work<{ selection: Selection }>

type Segments = Segment<{ selection: Selection }>[]

/** Throws `too_large` for a request that can never run. */
export function checkFits (
  work: Planned,
  manifest: Manifest,
  { slots, queueCost }: { slots: number; queueCost: number }
): void {
  checkPlaces(work, manifest, slots)
  const cost = worstCost(work, manifest)
  if (cost > queueCost) {
    throw new ServerError('too_large', `The request may cost ${cost} units, the limit is ${queueCost}`)
  }
}

/** Tokens through the language model in all rows, patches through the vision graph, and paint steps by picture area. */
export function worstCost (work: Planned, manifest: Manifest): number {
  switch (work.task) {
    case 'tokenize':
      return patchesOf(manifest)
    case 'detokenize':
      return paintCost(work.painting, manifest)
    case 'text':
      return promptCost(work, manifest) + rowsOf(work) * work.sampling.maxTokens
    case 'generate':
      return (
        promptCost(work, manifest) +
        rowsOf(work) * work.sampling.maxTokens +
        work.n * paintCost(work.painting, manifest) +
        work.n * (work.previews ?? 0) * paintCost(previewPainting(work.painting, manifest), manifest)
      )
  }
}

/** Rows of the decode batch that a request holds. */
export function rowsOf (work: Extract<Planned, { task: 'text' | 'generate' }>): number {
  if (work.task === 'text') return work.numBeams > 1 ? work.numBeams : work.n
  return work.n * (work.guidanceScale === 1 ? 1 : 2)
}

/**
 * Prompts that a request reads: one for each sample where the patches of its pictures are drawn, as each has its own
 * seed.
 */
export function promptsOf (work: Extract<Planned, { task: 'text' | 'generate' }>): number {
  const isDrawn = work.segments.some(segment => segment.kind !== 'ids' && segment.picture.selection.rule === 'sample')
  return isDrawn && !(work.task === 'text' && work.numBeams > 1) ? work.n : 1
}

/** The longest a prompt can get, before it is known which patches stay. */
export function longestPrompt (segments: Segments, manifest: Manifest): number {
  return segments.reduce(
    (sum, segment) => sum + (segment.kind === 'ids' ? segment.ids.length : mostKept(segment.picture, manifest)),
    0
  )
}

function checkPlaces (work: Planned, manifest: Manifest, slots: number): void {
  if (work.task === 'tokenize') return
  if (work.task === 'detokenize') {
    if (work.codes.length > patchesOf(manifest)) {
      throw new ServerError('too_large', `A picture has at most ${patchesOf(manifest)} visual tokens`)
    }
    return
  }
  const { max_length: maxLength } = manifest.language_model
  const length = longestPrompt(work.segments, manifest)
  if (length + Math.max(work.sampling.minTokens, 1) > maxLength) {
    throw new ServerError(
      'too_large',
      `The prompt may take ${length} of the model's ${maxLength} places and leaves too few for the answer`
    )
  }
  if (rowsOf(work) > slots) {
    throw new ServerError(
      'too_large',
      `The request needs ${rowsOf(work)} sequences at a time (one for each beam, text or picture, two with ` +
        `guidance), the server runs ${slots}`
    )
  }
}

function promptCost (work: Extract<Planned, { task: 'text' | 'generate' }>, manifest: Manifest): number {
  const pictures = work.segments.filter(segment => segment.kind !== 'ids').length
  return promptsOf(work) * (longestPrompt(work.segments, manifest) + pictures * patchesOf(manifest))
}

/** How previews are painted: by the painter alone where there is one, else in few steps. */
export function previewPainting (painting: Painting, { graphs }: Manifest): Painting {
  return { ...painting, steps: graphs.painter ? 0 : Math.min(painting.steps, previewSteps) }
}

export function paintCost (
  { width, height, steps, decoderGuidanceScale }: Painting,
  manifest: Manifest
): number {
  const runs = Math.max(steps, 1) * (decoderGuidanceScale === 1 ? 1 : 2)
  return patchesOf(manifest) + Math.ceil((runs * width * height) / pixelsPerToken)
}

function mostKept (work: { selection: Selection }, manifest: Manifest): number {
  const { maxVisualTokens = Infinity } = work.selection
  return Math.min(patchesOf(manifest), Math.max(maxVisualTokens, manifest.visual_tokenizer.min_visual_tokens))
}
