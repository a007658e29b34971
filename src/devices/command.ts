/** Asks a program of the system, where there is one. */
import { execFile } from 'node:child_process'

const patienceMs = 10_000

/** What it writes to stdout; nothing where it is missing, fails or takes too long. */
export function ask (program: string, args: string[]): Promise<string | undefined> {
  return new Promise(resolve => {
    execFile(program, args, { timeout: patienceMs, maxBuffer: 2 ** 26, windowsHide: true }, (error, stdout) =>
      resolve(error ? undefined : stdout)
    )
  })
}
