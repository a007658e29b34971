/**
 * What every flow gets: the stations, the cache and the model. A flow is one request's way, told from top to bottom.
 */
import type { Manifest } from '../../package/manifest.ts'
import type { KvCache, Slot } from '../kv-cache.ts'
import { seedOfSample, type Encoding, type Picture, type Segment } from '../../pipe/work.ts'
import type { Decode } from '../stations/decode.ts'
import type { Encode, Seen } from '../stations/encode.ts'
import type { Paint } from '../stations/paint.ts'
import type { Prefill } from '../stations/prefill.ts'
import type { Ticket } from '../ticket.ts'

export type Stations = {
  manifest: Manifest
  cache: KvCache
  encode: Encode
  prefill: Prefill
  decode: Decode
  paint: Paint
}

/**
 * The segments of each prompt that is read. Where there are several, each draws the patches of its pictures by its own
 * seed.
 */
export function segmentsOf (segments: Segment[], prompts: number): Segment[][] {
  return Array.from({ length: prompts }, (_, i) =>
    segments.map(segment => {
      if (segment.kind === 'ids' || i === 0) return segment
      const { picture } = segment
      return {
        ...segment,
        picture: { ...picture, selection: { ...picture.selection, seed: seedOfSample(picture.selection.seed, i) } }
      }
    })
  )
}

export function look (ticket: Ticket, segments: Segment[], { encode }: Stations): Promise<Seen[]> {
  return Promise.all(
    segments.flatMap(segment => (segment.kind === 'ids' ? [] : [encode(ticket, segment.picture, segment.kind)]))
  )
}

/** Of the least familiar picture; nothing where none was seen, or the model does not judge. */
export function familiarityOf (seen: Seen[]): { familiarity?: number } {
  const judged = seen.flatMap(({ encoding: { familiarity } }) => familiarity ?? [])
  return judged.length === 0 ? {} : { familiarity: Math.min(...judged) }
}

/** Of the first picture that came as pixels and whose encoding has a name. */
export function encodingOf (pictures: Picture[], seen: Seen[]): { encoding?: Encoding } {
  const asked = seen[pictures.findIndex(picture => 'pixels' in picture && picture.ref !== undefined)]
  return asked ? { encoding: asked.encoding } : {}
}

/** Gives slots back before the request ends. */
export function giveBack (ticket: Ticket, slots: Slot[], { cache }: Stations): void {
  for (const slot of slots) if (ticket.slots.delete(slot)) cache.release(slot)
}

/**
 * The tokens that may be drawn: as many as asked, or as the cache holds after the prompt. The last one needs no place.
 */
export function roomFor (
  asked: number,
  promptLength: number,
  {
    manifest: {
      language_model: { max_length: maxLength }
    }
  }: Stations
): number {
  return Math.min(asked, maxLength - promptLength + 1)
}
