/** How a command can end: its exit codes, and the errors that carry them. */

export const exitCodes = {
  ok: 0,
  someFailed: 1,
  usage: 2,
  away: 3,
  refused: 4,
  interrupted: 130,
  stopped: 143
} as const

/** An end with words for the user. */
export class Ending extends Error {
  readonly exitCode: number

  constructor (exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** What the server refused: its problem document, whose `code` and `detail` are told. */
export class Refusal extends Ending {
  readonly problem: Problem
  readonly retryAfterSeconds: number | undefined
  /** Whether an engine had been given it. */
  readonly wasBegun: boolean

  constructor (problem: Problem, retryAfterSeconds?: number, wasBegun = false) {
    super(exitCodes.refused, `${problem.code}: ${problem.detail}`)
    this.problem = problem
    this.retryAfterSeconds = retryAfterSeconds
    this.wasBegun = wasBegun
  }
}

export type Problem = { status: number; code: string; detail: string; [field: string]: unknown }

export function wrongUsage (message: string) {
  return new Ending(exitCodes.usage, message)
}

export function serverAway (message: string) {
  return new Ending(exitCodes.away, message)
}

/** How an error ends a command; undefined where it is a fault of ours. What the system refuses is told in one line. */
export function endingOf (error: unknown): Ending | undefined {
  if (error instanceof Ending) return error
  return error instanceof Error && 'syscall' in error ? wrongUsage(error.message) : undefined
}

export function messageOf (error: unknown) {
  return error instanceof Error ? error.message : String(error)
}
