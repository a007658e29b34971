/** When a piece of a long job that was refused is asked for again. */

/** `wasBegun` where an engine had been given it. */
export type Refused = {
  status: number
  code?: string | undefined
  retryAfterSeconds?: number | undefined
  wasBegun: boolean
}

/** Of one piece: seconds until its next try; undefined where the refusal is what it gets. `away`: nobody answered. */
export type PauseAfter = (refused: Refused | 'away') => number | undefined

const longestPauseSeconds = 60
const mostFaults = 3
const mostEngines = 5 // a piece that ends them again and again
const mostAway = 15 // in a row: two minutes

/** A server that is busy, loading or going away is waited for without end. */
export function createRetries (): PauseAfter {
  const seen = { faults: 0, engines: 0, away: 0 }
  return refused => {
    if (refused === 'away') return ++seen.away < mostAway ? Math.min(seen.away, 10) : undefined
    seen.away = 0
    const { status, retryAfterSeconds } = refused
    if (status === 500) return ++seen.faults < mostFaults ? 1 : undefined
    if (endedEngine(refused) && ++seen.engines >= mostEngines) return undefined
    if (status === 429) return Math.min(retryAfterSeconds ?? 1, longestPauseSeconds)
    if (status !== 503 || retryAfterSeconds === undefined) return undefined
    return Math.min(retryAfterSeconds, longestPauseSeconds)
  }
}

/** Whether an engine ended while it had the piece. */
export function endedEngine ({ code, wasBegun }: Refused): boolean {
  return code === 'engine_restarting' && wasBegun
}
