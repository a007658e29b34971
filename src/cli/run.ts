/** One call of `lavit`, from its words to its exit code. */
import { CommanderError } from 'commander'
import { endingOf, exitCodes } from './endings.ts'
import type { Io } from './io.ts'
import { buildProgram } from './program.ts'
import { readConfigFile } from './settings.ts'

/** What went wrong is told on stderr. Rejects with a fault of ours. */
export async function run (words: string[], io: Io): Promise<number> {
  try {
    const { program, exitCode } = await buildProgram(words, io, { env: io.env, file: readConfigFile(io.env) })
    await program.parseAsync(words, { from: 'user' })
    return exitCode()
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const ending = endingOf(error)
    if (!ending) throw error
    io.stderr.write(`error: ${ending.message}\n`)
    return ending.exitCode
  }
}
