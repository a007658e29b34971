/** Measures the model behind a running server on a data set. */
import { writeFileSync } from 'node:fs'
import { createClient } from './client.ts'
import { readOptions, type TaskName } from './options.ts'
import { reportOf, textOf, type Report } from './report.ts'
import { evaluateCaptions } from './tasks/caption.ts'
import { evaluatePaintings } from './tasks/generate.ts'
import type { Outcome, Run } from './tasks/run.ts'
import { evaluateTokens } from './tasks/tokenize.ts'
import { evaluateAnswers } from './tasks/vqa.ts'

const tasks: Record<TaskName, (run: Run) => Promise<Outcome>> = {
  caption: evaluateCaptions,
  vqa: evaluateAnswers,
  generate: evaluatePaintings,
  tokenize: evaluateTokens
}

/**
 * Throws `DataError` for options and files that cannot be used, `RequestError` where there is no such server or model.
 */
export async function evaluate (args: string[], progress: Run['progress']): Promise<Report> {
  const options = readOptions(args)
  const client = createClient(options.url, process.env.LAVIT_KEY?.trim())
  const name = options.model ?? ((await client.get('/models')) as { default: string }).default
  const about = (await client.get(`/models/${encodeURIComponent(name)}`)) as Run['about'] & Record<string, unknown>
  const report = reportOf(options, about, await tasks[options.task]({ ...options, client, about, progress }))
  if (options.out !== undefined) writeFileSync(options.out, textOf(report))
  return report
}
