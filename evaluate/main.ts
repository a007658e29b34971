/** `npm run evaluate`: measures the model behind a running server on a data set. See docs/evaluation.md. */
import { writeFileSync } from 'node:fs'
import { createClient, RequestError } from './client.ts'
import { DataError } from './data/files.ts'
import { readOptions, type TaskName } from './options.ts'
import { reportOf, tableOf } from './report.ts'
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

try {
  process.exitCode = await evaluate(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof DataError || error instanceof RequestError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

/** The exit code: 0, or 1 when a request failed. */
async function evaluate (args: string[]): Promise<number> {
  const options = readOptions(args)
  const client = createClient(options.url)
  const name = options.model ?? (await client.get('/models') as { default: string }).default
  const about = await client.get(`/models/${encodeURIComponent(name)}`) as Run['about'] & Record<string, unknown>
  const outcome = await tasks[options.task]({ ...options, client, about, progress })
  const report = reportOf(options, about, outcome)
  if (options.out !== undefined) writeFileSync(options.out, JSON.stringify(report, null, 1) + '\n')
  console.log(tableOf(report))
  return report.failed > 0 ? 1 : 0
}

/** On a terminal one line that is written over, elsewhere a line for each tenth. */
function progress (done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of}${done === of ? '\n' : ''}`)
  else if (Math.floor(10 * done / of) > Math.floor(10 * (done - 1) / of)) process.stderr.write(`${done} of ${of}\n`)
}
