/** Pictures to what the model sees: the oldest that wait, of any request, share a unit. */
import type { VisualTokenizer } from '../../graphs/visual-tokenizer.ts'
import type { Manifest } from '../../package/manifest.ts'
import type { Encoding, Picture } from '../../pipe/work.ts'
import { selectPatches } from '../drawing/selector.ts'
import type { Ticket } from '../ticket.ts'
import { createQueue, ticketsOf, type Station, type Unit } from './queue.ts'

const picturesAtOnce = 4 // a unit must not keep the others waiting for long

export type Use = 'codes' | 'features'
export type Seen = { encoding: Encoding; keepMask: boolean[]; codes: number[]; embeddings: Float32Array }
export type Encode = (ticket: Ticket, picture: Picture, use: Use) => Promise<Seen>

export function createEncode (
  visualTokenizer: VisualTokenizer,
  { visual_tokenizer: { min_visual_tokens: least } }: Manifest
): Station & { encode: Encode } {
  const queue = createQueue<{ picture: Picture; use: Use }, Seen>()
  return {
    kind: 'encode',
    waiting: queue.waiting,
    atOnce: picturesAtOnce,
    next,
    leave: queue.leave,
    encode: (ticket, picture, use) => queue.enter(ticket, { picture, use })
  }

  function next (onlyBulk = false): Unit | undefined {
    const entries = queue.alike(onlyBulk).slice(0, picturesAtOnce)
    if (entries.length === 0) return
    return {
      kind: 'encode',
      tickets: ticketsOf(entries),
      rows: entries.length,
      async run () {
        const encodings = await encodingsOf(entries.map(({ input }) => input.picture))
        const seen: Seen[] = []
        for (const [i, encoding] of encodings.entries()) {
          const { picture, use } = entries[i]!.input
          const keepMask = selectPatches(encoding.keepProbabilities, picture.selection, least)
          const selected = { features: encoding.features, keepMask }
          if (use === 'codes') {
            const codes = await visualTokenizer.toCodes(selected)
            seen.push({ encoding, keepMask, codes, embeddings: new Float32Array() })
            continue
          }
          const embeddings = mergedBefore(encoding, keepMask) ?? (await visualTokenizer.toEmbeddings(selected))
          seen.push({ encoding: { ...encoding, merged: { keepMask, embeddings } }, keepMask, codes: [], embeddings })
        }
        return () => entries.forEach((entry, i) => {
          const known = seen[i]!
          entry.ticket.kept.push(known.keepMask.filter(Boolean).length)
          queue.settle(entry, known)
        })
      }
    }
  }

  /** Those that come with the pictures, and the others computed together. */
  async function encodingsOf (pictures: Picture[]): Promise<Encoding[]> {
    const pixels = pictures.flatMap(picture => ('pixels' in picture ? [picture.pixels] : []))
    const computed = (pixels.length > 0 ? await visualTokenizer.encode(pixels) : []).values()
    return pictures.map(picture => ('encoding' in picture ? picture.encoding : computed.next().value!))
  }
}

function mergedBefore ({ merged }: Encoding, keepMask: boolean[]): Float32Array | undefined {
  if (merged?.keepMask.every((isKept, patch) => isKept === keepMask[patch])) return merged.embeddings
}
