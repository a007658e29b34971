/** Prompts on their way into the cache, piece by piece, and which pieces are read in one run. */
import type { State } from '../../graphs/kv-store.ts'
import type { Scores } from '../drawing/sampler.ts'
import type { KvCache, Slot } from '../kv-cache.ts'
import type { Prompt } from '../prompt.ts'
import type { Want } from './heads.ts'
import type { Entry } from './queue.ts'

const mostTokens = 72 // of one row and unit
const lengthStep = 4 // rows are filled up to a multiple of it, by their own length alone: neighbours change nothing
export const tokensAtOnce = 256 // of all rows of a unit

/** A sample in the decode batch that has just read its prompts, and the scores of what comes first. */
export type Sample = { slots: Slot[]; scores: Scores }

/**
 * For each sample the prompts of its rows: its own, and with guidance one to be guided away from. The same object is
 * read once.
 */
export type Reading = { samples: Prompt[][]; want: Want }

/** A prompt in the first row that holds it. */
export type Context = { prompt: Prompt; slot: Slot; done: number; state?: State | undefined }

/** A request that reads: it has all its slots, or none yet. */
export type Place = { reading?: Reading; slots: Slot[][]; contexts: Map<Prompt, Context> }

/** The next `length` tokens of a prompt after those that are done; none where all of it is kept. */
export type Piece = { entry: Entry<Place, Sample[]>; prompt: Prompt; done: number; length: number }

/** It ends with the picture that the prompt begins with, whether this is kept or not, so that bits are the same. */
export function lengthOf ({ tokenIds, prefix }: Prompt, done: number): number {
  const end = prefix !== undefined && done < prefix.length ? prefix.length : tokenIds.length
  return Math.min(mostTokens, end - done)
}

export function widthOf (piece: Piece | undefined): number {
  return Math.ceil((piece?.length ?? 0) / lengthStep) * lengthStep
}

/**
 * Of the pieces that wait, in turn, the first, and with it others as wide: those that begin their prompts too, or whose
 * rows lie beside its own, in order of their rows. Pieces without tokens come last.
 */
export function together (waiting: Piece[], cache: Pick<KvCache, 'hasNeighbours' | 'inUse'>): Piece[] {
  const kept = waiting.filter(({ length }) => length === 0)
  const [first, ...others] = waiting.filter(({ length }) => length > 0)
  if (first === undefined) return kept
  const alike = others.filter(other => widthOf(other) === widthOf(first))
  const most = Math.max(1, Math.floor(tokensAtOnce / widthOf(first)))
  if (first.done === 0) return [...beginnings(first, alike, most), ...kept]
  return [...neighbours(first, alike, cache.hasNeighbours ? most : 1, cache.inUse()), ...kept]
}

/** Of several that begin alike only one is read: the others go on from there. */
function beginnings (first: Piece, alike: Piece[], most: number): Piece[] {
  const pieces = [first]
  const names = new Set([first.prompt.prefix?.name])
  for (const piece of alike) {
    const name = piece.prompt.prefix?.name
    if (piece.done > 0 || pieces.length === most || (name !== undefined && names.has(name))) continue
    pieces.push(piece)
    names.add(name)
  }
  return pieces
}

/** Rows on both sides of the first one's, as long as they are alike. `free` is the row that is taken next. */
function neighbours (first: Piece, alike: Piece[], most: number, free: number): Piece[] {
  const later = alike.filter(({ done }) => done > 0)
  const opened = new Map(later.map(piece => [rowOf(piece), piece]))
  const unopened = later.filter(isFirstOfUnopened)
  const own = rowOf(first)
  if (own === undefined && !isFirstOfUnopened(first)) return [first]
  const pieces = [first]
  let end = own === undefined ? free + rowsOf(first) : free
  for (let row = (own ?? free) + 1; pieces.length < most; row++) {
    const piece = opened.get(row) ?? (row === end ? unopened.shift() : undefined)
    if (piece === undefined) break
    if (row === end) end += rowsOf(piece)
    pieces.push(piece)
  }
  for (let row = (own ?? free) - 1; pieces.length < most; row--) {
    const piece = opened.get(row)
    if (piece === undefined) break
    pieces.unshift(piece)
  }
  return pieces
}

function rowOf ({ entry, prompt }: Piece): number | undefined {
  return entry.input.contexts.get(prompt)?.slot.row
}

function rowsOf ({ entry }: Piece): number {
  return entry.input.reading?.samples.flat().length ?? 0
}

/** It gets the first row of those that its request will take. */
function isFirstOfUnopened ({ entry: { input }, prompt }: Piece): boolean {
  return input.slots.length === 0 && input.reading?.samples[0]?.[0] === prompt
}
