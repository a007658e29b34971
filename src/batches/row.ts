/** A line of a batch becomes a row: asked until there is an answer that counts. */
import { setTimeout as pause } from 'node:timers/promises'
import { createRetries } from '../bulk/retries.ts'
import { isUndone, type Ask, type Asker, type Reply } from './ask.ts'
import type { Gate } from './gate.ts'
import type { Row } from './journal.ts'
import type { LineName, RequestLine } from './request-line.ts'

export type RowTools = { url: string; ask: Ask; asker: Asker; gate: Gate; stop: AbortSignal }

/** Undefined where it was stopped. A line that waits for its next try leaves its place to others. */
export async function makeRow (line: RequestLine, { url, ask, asker, gate, stop }: RowTools): Promise<Row | undefined> {
  const pauseAfter = createRetries()
  for (;;) {
    const leave = await gate.enter(stop)
    if (!leave) return
    const reply = await ask({ id: line.id, url, body: line.body }, asker).finally(leave)
    if (isUndone(reply)) return
    const seconds = pauseAfter(reply)
    if (seconds === undefined) return rowOf(line, reply)
    if (!(await passes(seconds, stop))) return
  }
}

/** The row of a line that was not done in time. */
export function expiredRow ({ id, customId }: LineName): Row {
  const error = { code: 'batch_expired', message: 'The request was not done before the completion window expired' }
  return { isGood: false, text: JSON.stringify({ id, custom_id: customId, response: null, error }) }
}

/** The body stands in it byte for byte. */
function rowOf ({ id, customId }: LineName, { status, body }: Reply): Row {
  const head = `{"id":${JSON.stringify(id)},"custom_id":${JSON.stringify(customId)}`
  const response = `{"status_code":${status},"request_id":${JSON.stringify(id)},"body":${body}}`
  return { isGood: status === 200, text: `${head},"response":${response},"error":null}` }
}

async function passes (seconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(seconds * 1000, undefined, { signal })
    return true
  } catch {
    return false
  }
}
