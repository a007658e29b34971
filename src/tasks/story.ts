/** What a job did and when, in times of `performance.now()`: told as spans where traces are kept. */
import type { Course } from '../pipe/messages.ts'
import type { ResultOf, Work } from '../pipe/work.ts'

/** Work of an engine; without `to` while it runs, or where it failed. Tokens are those of the prompt and the answer. */
export type Run = {
  model: string
  task: string
  from: number
  to?: number
  course?: Course
  inputTokens?: number
  outputTokens?: number
}

export type Story = { pictures: { from: number; to: number }[]; runs: Run[] }

export function tokensOf (result: ResultOf[Work['task']]): Pick<Run, 'inputTokens' | 'outputTokens'> {
  if ('codes' in result) return { outputTokens: result.codes.length }
  const inputTokens = result.visualTokens + result.promptTokens
  const drawn =
    'pictures' in result ? result.pictures.map(({ codes }) => codes) : result.sequences.map(({ ids }) => ids)
  return { inputTokens, outputTokens: drawn.flat().length }
}
