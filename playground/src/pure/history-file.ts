/** Runs, and the file that carries them from one browser to another. */
import type { Call } from './call.ts'
import type { ModelName } from './model-name.ts'
import { isCall, isFields, parseFields } from './shape.ts'

/** `answer` is the server's text as it came; `picture` the data URL of what was painted. */
export type Run = {
  id: string
  at: string
  ms: number
  model: ModelName
  call: Call
  answer: string
  picture?: string
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

function isRun (value: unknown): value is Run {
  return (
    isFields(value) && isCall(value.call) && isFields(value.model) &&
    [value.id, value.at, value.answer, value.model.name, value.model.version].every(text => typeof text === 'string') &&
    parseFields(String(value.answer)) !== undefined &&
    typeof value.ms === 'number' && ['string', 'undefined'].includes(typeof value.picture)
  )
}
