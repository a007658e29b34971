/** Measures the model behind a running server on a data set. */
import { writeFileSync } from 'node:fs'
import { createClient, RequestError, type Client } from './client.ts'
import { checkWritable, DataError } from './data/files.ts'
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
 * After `signal` the report is of what was answered until then.
 */
export async function evaluate (
  args: string[],
  progress: Run['progress'],
  signal = new AbortController().signal
): Promise<Report> {
  const options = readOptions(args)
  if (options.out !== undefined) checkWritable(options.out)
  const client = createClient(options.url, readKey(), signal)
  const name = options.model ?? await defaultModel(client, options.url)
  const about = (await client.get(`/models/${encodeURIComponent(name)}`)) as Run['about'] & Record<string, unknown>
  const report = reportOf(options, about, await tasks[options.task]({ ...options, client, about, signal, progress }))
  if (options.out !== undefined) writeFileSync(options.out, textOf(report))
  return report
}

/** Throws `DataError` that does not tell the key, as that of `Headers` would. */
function readKey (): string | undefined {
  const key = process.env.LAVIT_KEY?.trim()
  if (/[^\t -~\x80-\xff]/.test(key ?? '')) throw new DataError('LAVIT_KEY has characters that no header can hold')
  return key
}

async function defaultModel (client: Client, url: string): Promise<string> {
  const { default: name } = ((await client.get('/models')) ?? {}) as { default?: unknown }
  if (typeof name !== 'string') throw new RequestError(`${url} is no LaVIT server: /models names no default model`)
  return name
}
