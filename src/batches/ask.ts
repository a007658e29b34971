/** How a line is asked: as a client would ask the route, on behalf of whoever made the batch. */
import type { Refused } from '../bulk/retries.ts'

/** `owner` is the name of a key, or empty; `client` who it is for taking turns. */
export type Asker = { owner: string; client: string }
export type Question = { id: string; url: string; body: object }
export type Reply = Refused & { body: string }
export type Ask = (question: Question, asker: Asker) => Promise<Reply>

/** Whether the server ended before the line was done. */
export function isUndone ({ status, code }: Reply): boolean {
  return code === 'draining' || status === 499
}
