/** Pieces of prompts as the rows of one run: filled up on the left with tokens that nothing sees. */
import type { NewTokens } from '../../graphs/language-model.ts'
import type { Prompt } from '../prompt.ts'

const unseen = 2 ** 20 // a place behind all others: every token is blind to it

/** Rows of `width` tokens: of each prompt the `length` tokens after the first `done`. */
export function layOutChunks (
  chunks: { prompt: Prompt; done: number; length: number }[],
  width: number,
  hiddenSize: number
): NewTokens {
  const tokenIds = new Array<number>(chunks.length * width).fill(0)
  const positions = new Array<number>(chunks.length * width).fill(unseen)
  const places: number[] = []
  const rows: Float32Array[] = []
  for (const [row, { prompt, done, length }] of chunks.entries()) {
    const start = (row + 1) * width - length
    for (let i = 0; i < length; i++) {
      tokenIds[start + i] = prompt.tokenIds[done + i] ?? 0
      positions[start + i] = done + i
    }
    for (const [i, place] of prompt.places.entries()) {
      if (place < done || place >= done + length) continue
      places.push(start + place - done)
      rows.push(prompt.embeddings.subarray(i * hiddenSize, (i + 1) * hiddenSize))
    }
  }
  const embeddings = new Float32Array(rows.length * hiddenSize)
  for (const [i, row] of rows.entries()) embeddings.set(row, i * hiddenSize)
  return { count: width, tokenIds, positions, embedded: { places, embeddings } }
}
