/**
 * `npm run evaluate`: the command around `evaluate.ts`; exit code 1 when requests failed, 2 when it cannot run. Ctrl-C
 * ends the requests but not the report, a second one ends all.
 */
import { RequestError } from './client.ts'
import { DataError } from './data/files.ts'
import { evaluate } from './evaluate.ts'
import { usage } from './options.ts'
import { tableOf } from './report.ts'

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())
const args = process.argv.slice(2)
try {
  if (args.includes('--help')) console.log(usage)
  else {
    const report = await evaluate(args, progress, interruption.signal)
    console.log(tableOf(report))
    process.exitCode = report.failed > 0 ? 1 : 0
  }
} catch (error) {
  if (!(error instanceof DataError || error instanceof RequestError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

/** On a terminal one line that is written over, elsewhere a line for each tenth. */
function progress (done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of}${done === of ? '\n' : ''}`)
  else if (Math.floor(10 * done / of) > Math.floor(10 * (done - 1) / of)) process.stderr.write(`${done} of ${of}\n`)
}
