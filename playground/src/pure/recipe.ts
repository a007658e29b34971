/** What a painted file says of how it was painted: the call for it alone, the model, and its tokens. */
import type { Call } from './call.ts'
import type { ModelName } from './model-name.ts'
import { readText, writeText } from './png.ts'
import { isCall, isFields, isTokens, parseFields } from './shape.ts'

export const keyword = 'lavit-recipe'
const format = 1

export type Recipe = { model: ModelName & { digest: string }; call: Call; visual_tokens: number[] }

/** The recipe of one picture of a call: alone, with its own seed, it is painted again to the byte. */
export function recipeOf (
  call: Call,
  { seed, visual_tokens: tokens }: { seed: number; visual_tokens: number[] },
  model: Recipe['model']
): Recipe {
  return { model, call: ofOne({ ...call, options: { ...call.options, seed } }), visual_tokens: tokens }
}

export function withRecipe (png: Uint8Array<ArrayBuffer>, recipe: Recipe): Uint8Array<ArrayBuffer> {
  return writeText(png, keyword, JSON.stringify({ format, ...recipe }))
}

/** Nothing where a file has no recipe, or none that can be followed. */
export function readRecipe (file: Uint8Array<ArrayBuffer>): Recipe | undefined {
  const fields = parseFields(readText(file, keyword) ?? '')
  if (fields?.format !== format) return undefined
  const { model, call, visual_tokens: tokens } = fields
  if (!isFields(model) || !isCall(call) || !isTokens(tokens)) return undefined
  const { name, version, digest } = model
  if (typeof name !== 'string' || typeof version !== 'string' || typeof digest !== 'string') return undefined
  return { model: { name, version, digest }, call: ofOne(call), visual_tokens: tokens }
}

/** A file says how one picture was painted, whatever number it may name. */
function ofOne (call: Call): Call {
  const { n: _n, ...options } = call.options
  return { ...call, options }
}
