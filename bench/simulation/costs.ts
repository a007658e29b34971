/** What units of work take: lines through what was measured, or the roofline of a processor for a model's sizes. */
import { lineThrough, type Line } from '../statistics.ts'
import type { Units } from '../units.ts'

/** Seconds, and how much a unit and an engine may hold. */
export type Costs = {
  encode: (pictures: number) => number
  /** `prompts` are the tokens of each. */
  prefill: (prompts: number[]) => number
  /** `places` are the tokens before the new ones, of all rows together. */
  decode: (rows: number, places: number) => number
  picturesAtOnce: number
  tokensAtOnce: number
  slots: number
}

/** Reading picture files is charged to the engine, since it takes the same cores. */
export function measuredCosts ({ picture, encode, prefill, decode }: Units): Costs {
  const perPicture = at(lineThrough(encode.map(({ rows, ms }) => [rows, ms])))
  const perToken = at(lineThrough(prefill.map(({ rows, tokens, ms }) => [rows * tokens, ms])))
  const perRow = at(lineThrough(decode.map(({ rows, ms }) => [rows, ms])))
  return {
    encode: pictures => perPicture(pictures) + (pictures * picture.ms) / 1000,
    prefill: prompts => perToken(sum(prompts)),
    decode: rows => perRow(rows),
    picturesAtOnce: 4,
    tokensAtOnce: 256,
    slots: 32
  }
}

/** Operations and bytes a second, bytes; `attainable` is the share of both rates that is reached. */
export type Processor = { operations: number; bandwidth: number; memory: number; attainable: number }

/** Weights count parameters; what is kept of a token counts bytes. */
export type Sizes = {
  language: { weights: number; layers: number; width: number }
  vision: { weights: number; layers: number; width: number; patches: number }
}

export const h100 = { operations: 989e12, bandwidth: 3.35e12, memory: 80e9 } // bf16 without sparsity, SXM

/** LLaMA-7B; EVA ViT-g with the selector's merger over all its patches. */
export const lavit7b: Sizes = {
  language: { weights: 6.74e9, layers: 32, width: 4096 },
  vision: { weights: 1.41e9, layers: 40, width: 1408, patches: 257 }
}

const bytesOfNumber = 2 // bf16
const overhead = 0.5e-3 // seconds of a unit in which nothing is computed: launches, sampling, the host

/**
 * A unit takes max(operations / rate, bytes / bandwidth): two operations for each weight and token and four for each
 * token, place before it and number of a layer; every weight is read once, and keys and values of every place.
 */
export function rooflineCosts (
  { language, vision }: Sizes,
  { operations, bandwidth, memory, attainable }: Processor,
  placesOfRow: number
): Costs {
  const time = (work: number, bytes: number) =>
    overhead + Math.max(work / operations, bytes / bandwidth) / attainable
  const perPlace = 4 * language.layers * language.width // operations, and as many bytes: two numbers of two bytes
  const languageBytes = language.weights * bytesOfNumber
  const visionBytes = vision.weights * bytesOfNumber
  const ofPicture =
    2 * vision.weights * vision.patches + 4 * vision.layers * vision.width * vision.patches ** 2
  return {
    encode: pictures => time(pictures * ofPicture, visionBytes),
    prefill: prompts =>
      time(
        sum(prompts.map(tokens => 2 * language.weights * tokens + (perPlace * tokens ** 2) / 2)),
        languageBytes + perPlace * sum(prompts)
      ),
    decode: (rows, places) => time(2 * language.weights * rows + perPlace * places, languageBytes + perPlace * places),
    picturesAtOnce: 16,
    tokensAtOnce: 2048,
    slots: Math.floor((0.9 * memory - languageBytes - visionBytes) / (perPlace * placesOfRow))
  }
}

/** Seconds of a line through milliseconds, never below nothing. */
function at ({ slope, intercept }: Line) {
  return (x: number) => Math.max(0, intercept + slope * x) / 1000
}

function sum (values: number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
