/** Which engine takes a work: the one with the least to do, or one with little more that has read its picture. */
import type { Work } from '../pipe/work.ts'

const mostPictures = 1024
const mostMore = 1.25 // times the least: what reading a picture once more takes is a small part of an answer

/** Engines keep what they read of a picture each for itself, so that it is worth being asked again. */
export function createChoice<Engine extends { cost: () => number }> () {
  const readers = new Map<string, Engine>() // by the picture's name, in order of use

  /** One of `engines`, which is the picture's reader from now on. */
  return (engines: Engine[], work: Work): Engine | undefined => {
    const idlest = idlestOf(engines)
    const ref = refOf(work)
    if (ref === undefined || idlest === undefined) return idlest
    const reader = engines.find(engine => engine === readers.get(ref))
    const chosen = reader !== undefined && reader.cost() <= mostMore * idlest.cost() ? reader : idlest
    readers.delete(ref)
    readers.set(ref, chosen)
    for (const oldest of readers.keys()) {
      if (readers.size <= mostPictures) break
      readers.delete(oldest)
    }
    return chosen
  }
}

export function idlestOf<Engine extends { cost: () => number }> (engines: Engine[]): Engine | undefined {
  const [engine] = [...engines].sort((a, b) => a.cost() - b.cost())
  return engine
}

/** The name of the first picture that the language model reads, where it has one. */
function refOf (work: Work): string | undefined {
  if (!('segments' in work)) return
  return work.segments.flatMap(segment => (segment.kind === 'ids' ? [] : [segment.picture.ref]))[0]
}
