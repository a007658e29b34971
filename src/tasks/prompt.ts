/** Texts of a prompt, and the room that a model has for prompt and answer. */
import { ServerError, invalidField } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { Limits } from './job.ts'

const nothingVisible = /^[\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]*$/u
const space = /[\s\u200b\u2060\ufeff]/

/**
 * A text as the model reads it: composed (NFC), without space around it. Empty for one that shows nothing: spaces,
 * control and zero-width characters.
 */
export function readText (text: string): string {
  return nothingVisible.test(text) ? '' : withoutSpaceAround(text.replace(/\p{Surrogate}/gu, '\ufffd').normalize('NFC'))
}

/** The same for a text that must say something. `pointer` names its field in errors. */
export function readRequiredText (text: string, pointer: string): string {
  const read = readText(text)
  if (read === '') throw invalidField(pointer, 'must not be blank')
  return read
}

function withoutSpaceAround (text: string): string {
  let start = 0
  let end = text.length
  while (start < end && space.test(text[start] ?? '')) start++
  while (end > start && space.test(text[end - 1] ?? '')) end--
  return text.slice(start, end)
}

/** Throws `too_large` when the texts of one request are too long together. */
export function checkPromptCharacters (texts: string[], { maxPromptCharacters: limit }: Limits) {
  const units = texts.reduce((sum, text) => sum + text.length, 0)
  if (units <= limit) return
  // of so many nobody asks how many exactly
  const characters = units > 1_000_000 ? units : texts.reduce((sum, text) => sum + [...text].length, 0)
  if (characters > limit) {
    throw new ServerError('too_large', `The prompt has ${characters} characters, the limit is ${limit}`)
  }
}

/**
 * Throws `too_large` when prompt and requested output do not fit the model together; pictures count as all their
 * patches.
 */
export function checkLength (
  { language_model: { max_length: maxLength } }: Manifest,
  promptLength: number,
  maxTokens: number
) {
  if (promptLength + maxTokens > maxLength) {
    throw new ServerError(
      'too_large',
      `Prompt (up to ${promptLength} tokens) and output (up to ${maxTokens}) do not fit the model's ${maxLength} tokens`
    )
  }
}
