/**
 * CIDEr-D (Vedantam et al. 2015, arXiv 1411.5726): how a caption's n-grams, weighed by rarity, agree with those of its
 * references. As in pycocoevalcap: n of 1 to 4, sigma 6, rarity counted over the pictures of the set, no stemming.
 */
import { wordsOf } from './words.ts'

const longest = 4
const sigma = 6

type Vector = { weights: Map<string, number>[]; norms: number[]; length: number }

/** The score of each picture, 0 to 10. Papers give a hundred times the mean: 1.34 here is their 134. */
export function ciderScores (candidates: string[], references: string[][]): number[] {
  const counted = references.map(captions => captions.map(countGrams))
  const pictures = new Map<string, number>() // n-gram to the number of pictures whose references hold it
  for (const captions of counted) {
    for (const gram of new Set(captions.flatMap(counts => [...counts.keys()]))) {
      pictures.set(gram, (pictures.get(gram) ?? 0) + 1)
    }
  }
  const rarity = (gram: string) => Math.log(references.length) - Math.log(Math.max(1, pictures.get(gram) ?? 0))

  return candidates.map((candidate, i) => {
    const own = weigh(countGrams(candidate), rarity)
    const likeness = counted[i]!.map(counts => compare(own, weigh(counts, rarity)))
    return (10 * likeness.reduce((sum, value) => sum + value, 0)) / likeness.length
  })
}

/** How often each n-gram occurs; words are joined by spaces, so their number tells n. */
function countGrams (caption: string): Map<string, number> {
  const words = wordsOf(caption)
  const counts = new Map<string, number>()
  for (let n = 1; n <= longest; n++) {
    for (let at = 0; at + n <= words.length; at++) {
      const gram = words.slice(at, at + n).join(' ')
      counts.set(gram, (counts.get(gram) ?? 0) + 1)
    }
  }
  return counts
}

function weigh (counts: Map<string, number>, rarity: (gram: string) => number): Vector {
  const weights = Array.from({ length: longest }, () => new Map<string, number>())
  const squares = new Array<number>(longest).fill(0)
  let length = 0
  for (const [gram, count] of counts) {
    const n = gram.split(' ').length - 1
    const weight = count * rarity(gram)
    weights[n]!.set(gram, weight)
    squares[n]! += weight ** 2
    if (n === 0) length += count
  }
  return { weights, norms: squares.map(Math.sqrt), length }
}

/** The clipped cosine of each n, averaged, less for another length. */
function compare (candidate: Vector, reference: Vector): number {
  let sum = 0
  for (let n = 0; n < longest; n++) {
    const norm = candidate.norms[n]! * reference.norms[n]!
    if (norm === 0) continue
    let product = 0
    for (const [gram, weight] of candidate.weights[n]!) {
      const other = reference.weights[n]!.get(gram) ?? 0
      product += Math.min(weight, other) * other
    }
    sum += product / norm
  }
  return (sum / longest) * Math.exp(-((candidate.length - reference.length) ** 2) / (2 * sigma ** 2))
}
