#!/usr/bin/env node
/** The process of `lavit`. */
import { exitCodes } from './endings.ts'
import { run } from './run.ts'

const interrupt = new AbortController()
let stopCode: number = exitCodes.interrupted
let hasRun = false
// SIGTERM, too: it is no death of a worker, and the first process of a container never hears what it does not ask for
const onStop = (signal: string) => {
  stopCode = signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.stopped
  if (hasRun || interrupt.signal.aborted) process.exit(stopCode)
  interrupt.abort()
}
process.on('SIGINT', onStop).on('SIGTERM', onStop)
// whoever reads the output may have seen enough, such as `head`
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  process.stderr.write(`error: stdout: ${error.message}\n`)
  process.exit(exitCodes.usage)
})
process.stderr.on('error', () => {}) // what nobody hears any more is no reason to end a job

const exitCode = await run(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
  serve: async variables => {
    process.off('SIGINT', onStop).off('SIGTERM', onStop)
    Object.assign(process.env, variables)
    await import('../server.ts')
  }
})
if (exitCode === exitCodes.interrupted) process.exit(stopCode) // with what was written and nobody reads
hasRun = true
process.exitCode = exitCode
