/** Which patches of a picture stay, in the browser: by the server's own rule. */
import { selectPatches } from '../../../src/engine/drawing/selector.ts'

export type Choice = { keepThreshold: number; minVisualTokens: number; maxVisualTokens: number }

/** The keep mask, one place for each patch, of probabilities as `/tokenize` tells them. `least` is the model's own. */
export function keepMask (probabilities: readonly number[], choice: Choice, least: number): boolean[] {
  return selectPatches(Float32Array.from(probabilities), { rule: 'threshold', seed: 0, ...choice }, least)
}
