/** Texts of a prompt, and the room that a model has for prompt and answer. */
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { Limits } from './job.ts'

/** Throws `too_large` when the texts of one request are too long together. */
export function checkPromptCharacters (texts: string[], { maxPromptCharacters }: Limits) {
  const characters = texts.reduce((sum, text) => sum + text.length, 0)
  if (characters > maxPromptCharacters) throw new ServerError('too_large', `The prompt has more than ${maxPromptCharacters} characters`)
}

/** Throws `too_large` when prompt and requested output do not fit the model together; pictures count as all their patches. */
export function checkLength ({ language_model: { max_length: maxLength } }: Manifest, promptLength: number, maxTokens: number) {
  if (promptLength + maxTokens > maxLength) {
    throw new ServerError('too_large', `Prompt (up to ${promptLength} tokens) and output (up to ${maxTokens}) do not fit the model's ${maxLength} tokens`)
  }
}
