/** What is known of a model from the requests that ended lately, and how a request adds to it. */
import type { Manifest } from '../package/manifest.ts'
import type { Answer, Place } from '../pipe/requests.ts'
import type { Work } from '../pipe/work.ts'
import { amountsOf, kindOf, type Amounts } from './amounts.ts'
import { createLengths, type Cue, type Lengths } from './lengths.ts'
import { createSpeeds, type Speeds } from './speeds.ts'

export type Experience = { speeds: Speeds; lengths: Lengths }
export type Experiences = ReturnType<typeof createExperiences>

/** Of each model for as long as it is loaded. */
export function createExperiences () {
  const known = new WeakMap<Manifest, Experience>()
  return {
    of (manifest: Manifest): Experience {
      const found = known.get(manifest) ?? { speeds: createSpeeds(), lengths: createLengths(manifest) }
      known.set(manifest, found)
      return found
    }
  }
}

/**
 * Learns from a request that has ended, and tells what it came to. `fileBytes` are those of each picture that came as a
 * file.
 */
export function learn (
  { speeds, lengths }: Experience,
  manifest: Manifest,
  { work, task, fileBytes }: { work: Work; task: string; fileBytes: number[] },
  place: Place,
  { result, timings }: Answer<Work>
): Amounts {
  const drawn = 'sequences' in result ? result.sequences.map(({ ids }) => ids.length) : []
  const painted = 'pictures' in result ? result.pictures.map(({ codes }) => codes.length) : []
  const tokens = Math.max(0, ...drawn, ...painted)
  const amounts = amountsOf(work, manifest, tokens)
  speeds.add(kindOf(work, task), place, amounts, timings)

  const shown = 'codes' in result ? result.codes.length : result.visualTokens
  const [bytes, ...others] = fileBytes
  const [selection] = picturesOf(work).map(picture => picture.selection)
  if (bytes !== undefined && selection && others.length === 0) lengths.addKept(selection, bytes, shown)
  if (work.task !== 'text' && work.task !== 'generate') return amounts
  const length = meanOf(work.task === 'text' ? drawn : painted)
  for (const cue of cuesOf(task, { prompt: promptLengthOf(work), file: bytes, picture: shown })) {
    lengths.addLength(cue, length)
  }
  return amounts
}

/** What tells most of an answer's length comes first: captions go by the picture, all else by the prompt. */
export function cuesOf (
  task: string,
  { prompt, file, picture }: { prompt: number; file: number | undefined; picture: number }
): [Cue, ...Cue[]] {
  if (task !== 'caption') return [{ task, of: 'prompt', size: prompt }]
  const byPicture = { task, of: 'picture' as const, size: picture }
  return file === undefined ? [byPicture] : [{ task, of: 'file', size: file }, byPicture]
}

/** Tokens of a prompt beside those of its pictures. */
export function promptLengthOf ({ segments }: { segments: ({ ids: number[] } | { picture: unknown })[] }): number {
  return segments.reduce((sum, segment) => sum + ('ids' in segment ? segment.ids.length : 0), 0)
}

function picturesOf (work: Work) {
  if ('picture' in work) return [work.picture]
  return 'segments' in work ? work.segments.flatMap(segment => ('picture' in segment ? [segment.picture] : [])) : []
}

function meanOf (lengths: number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length)
}
