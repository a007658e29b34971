#!/usr/bin/env node
/** The process of `lavit`. */
import { exitCodes } from './endings.ts'
import { run } from './run.ts'

const interrupt = new AbortController()
const onInterrupt = () => {
  if (interrupt.signal.aborted) process.exit(exitCodes.interrupted)
  interrupt.abort()
}
process.on('SIGINT', onInterrupt)
// whoever reads the output may have seen enough, such as `head`
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  process.stderr.write(`error: stdout: ${error.message}\n`)
  process.exit(exitCodes.usage)
})

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
  serve: async variables => {
    process.off('SIGINT', onInterrupt)
    Object.assign(process.env, variables)
    await import('../server.ts')
  }
})
