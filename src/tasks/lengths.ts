/** How many tokens pictures and texts come to, from those that were seen lately. */
import type { Manifest } from '../package/manifest.ts'
import { patchesOf } from '../package/patches.ts'
import type { Encoding, Selection } from '../pipe/work.ts'
import { createTrend, type Trend } from './recent.ts'

export type Lengths = ReturnType<typeof createLengths>

/** A number of tokens, and whether it can be no other. */
export type Count = { tokens: number; isExact: boolean }

/** A picture before it is read: its file, what the model made of it before, or neither. */
export type Unread = { selection: Selection; encoding?: Encoding; bytes?: Uint8Array }

/** What the length of an answer goes by: the words of its prompt, the picture's file, or its visual tokens. */
export type Cue = { task: string; of: 'prompt' | 'file' | 'picture'; size: number }

const firstShare = 0.3 // of the patches, or of the longest text, until something was seen

export function createLengths (manifest: Manifest) {
  const trends = new Map<string, Trend>()
  const trendOf = (name: string) => {
    const trend = trends.get(name) ?? createTrend()
    trends.set(name, trend)
    return trend
  }

  return {
    /** Notes how many patches stayed of a picture's file of so many bytes. */
    addKept (selection: Selection, bytes: number, kept: number): void {
      trendOf(ruleOf(selection)).add(bytes, kept)
    },

    /** Notes the length that an answer had. */
    addLength (cue: Cue, tokens: number): void {
      trendOf(`${cue.task} ${cue.of}`).add(cue.size, tokens)
    },

    /** The patches that stay of a picture. */
    kept ({ selection, encoding, bytes }: Unread): Count {
      const { least, most } = boundsOf(selection, manifest)
      const within = (tokens: number) => Math.min(most, Math.max(least, tokens))
      if (encoding) {
        const { rule, keepThreshold } = selection
        const tokens = encoding.keepProbabilities.reduce(
          (sum, probability) => sum + (rule === 'sample' ? probability : Number(probability >= keepThreshold)),
          0
        )
        return { tokens: within(tokens), isExact: rule === 'threshold' || least === most }
      }
      const seen = trendOf(ruleOf(selection)).at(bytes?.length)
      return { tokens: within(seen ?? firstShare * patchesOf(manifest)), isExact: least === most }
    },

    length ({ task, of, size }: Cue, { least, most }: { least: number; most: number }): number {
      return Math.min(most, Math.max(least, trendOf(`${task} ${of}`).at(size) ?? firstShare * most))
    }
  }
}

/** Pictures whose patches are chosen alike. */
function ruleOf ({ rule, keepThreshold, minVisualTokens, maxVisualTokens }: Selection): string {
  const isBounded = minVisualTokens !== undefined || maxVisualTokens !== undefined
  return `${rule} ${rule === 'threshold' ? keepThreshold.toFixed(1) : ''} ${isBounded ? 'bounded' : ''}`
}

/** As the engine holds them: the minimum comes before the maximum. */
function boundsOf ({ minVisualTokens = 0, maxVisualTokens = Infinity }: Selection, manifest: Manifest) {
  const patches = patchesOf(manifest)
  const least = Math.min(patches, Math.max(manifest.visual_tokenizer.min_visual_tokens, minVisualTokens))
  return { least, most: Math.min(patches, Math.max(least, maxVisualTokens)) }
}
