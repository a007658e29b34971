/** A batch's file before any of it is done: every line is a request, and no two have one name. */
import type { BatchError } from '../schemas/openai/batches.ts'
import { readLines } from './lines.ts'
import { LineFault, parseRequest, type LineLimits } from './request-line.ts'

const mostErrors = 100

export type CheckLimits = LineLimits & { mostLines: number }

/** How many requests there are, and the first errors; ends early where `isOff`. */
export async function checkRequests (path: string, limits: CheckLimits, isOff: () => boolean) {
  const lines = new Map<string, number>() // of each custom_id
  const errors: BatchError[] = []
  let total = 0
  for await (const line of readLines(path, limits.mostLineBytes)) {
    if (isOff() || errors.length === mostErrors) break
    if (++total > limits.mostLines) {
      const message = `The file has more lines than the limit of ${limits.mostLines}`
      errors.push({ code: 'too_many_lines', message, param: null, line: line.number })
      break
    }
    try {
      const { customId } = parseRequest(line, limits)
      const first = lines.get(customId)
      if (first === undefined) lines.set(customId, line.number)
      else {
        const message = `custom_id ${JSON.stringify(customId)} is that of line ${first}, too`
        errors.push({ code: 'duplicate_custom_id', message, param: 'custom_id', line: line.number })
      }
    } catch (error) {
      if (!(error instanceof LineFault)) throw error
      errors.push(error.fault)
    }
  }
  if (total === 0) errors.push({ code: 'empty_file', message: 'The file has no lines', param: null, line: null })
  return { total, errors }
}
