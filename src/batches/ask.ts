/** How a line is asked: as a client would ask the route, on behalf of whoever made the batch. */

/** `owner` is the name of a key, or empty; `client` who it is for taking turns. */
export type Asker = { owner: string; client: string }
export type Question = { id: string; url: string; body: object }
export type Reply = { status: number; code?: string | undefined; retryAfterSeconds?: number | undefined; body: string }
export type Ask = (question: Question, asker: Asker) => Promise<Reply>

const longestPauseSeconds = 60
const triesOfFaults = 3
const triesOfEngines = 5 // a line that ends them again and again

/** Seconds until the next try; undefined where the reply is what the line gets. */
export function pauseAfter ({ status, code, retryAfterSeconds }: Reply, tries: number): number | undefined {
  if (status === 500) return tries < triesOfFaults ? 1 : undefined
  if (status !== 429 && status !== 503) return undefined
  if (retryAfterSeconds === undefined || (code === 'engine_restarting' && tries >= triesOfEngines)) return undefined
  return Math.min(retryAfterSeconds, longestPauseSeconds)
}

/** Whether the server ended before the line was done. */
export function isUndone ({ status, code }: Reply): boolean {
  return code === 'draining' || status === 499
}
