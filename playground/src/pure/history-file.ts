/** Runs, and the file that carries them from one browser to another. */
import type { Call } from './call.ts'
import type { ModelName } from './model-name.ts'
import { isCall, isFields, isTokens, parseFields, type Fields } from './shape.ts'

/** `answer` is the server's text as it came. */
export type Run = {
  id: string
  at: string
  ms: number
  model: ModelName
  call: Call
  answer: string
}

const format = 'lavit-history'

export function writeHistory (runs: readonly Run[]): string {
  return JSON.stringify({ format, version: 1, runs }, null, 1)
}

/** Nothing where the text is no such file. */
export function readHistory (text: string): Run[] | undefined {
  const fields = parseFields(text)
  if (fields?.format !== format || fields.version !== 1 || !Array.isArray(fields.runs)) return undefined
  return fields.runs.every(isRun) ? fields.runs : undefined
}

/** Whether it can be shown, as what is kept or comes from a file may not be. */
export function isRun (value: unknown): value is Run {
  return (
    isFields(value) && isCall(value.call) && isFields(value.model) &&
    [value.id, value.at, value.answer, value.model.name, value.model.version].every(text => typeof text === 'string') &&
    !Number.isNaN(Date.parse(String(value.at))) && isAnswer(value.call, parseFields(String(value.answer))) &&
    typeof value.ms === 'number'
  )
}

/** What is shown of an answer: texts about a picture, or pictures and their tokens. */
function isAnswer ({ image, route }: Call, { captions, answers, images }: Fields = {}): boolean {
  if (!image) return isList(images, isPainted)
  return isList(route === 'vqa' ? answers : captions, ({ text }) => typeof text === 'string')
}

function isPainted ({ visual_tokens: tokens, media_type: type, data }: Fields): boolean {
  return isTokens(tokens) && /^image\//.test(String(type)) && typeof data === 'string'
}

function isList (value: unknown, holds: (one: Fields) => boolean): boolean {
  return Array.isArray(value) && value.every(one => isFields(one) && holds(one))
}
