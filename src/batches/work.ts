/** The lines of a batch that are not done yet: many at a time, their rows into the journal in order. */
import { inOrder } from '../bulk/in-order.ts'
import type { Gate, Leave } from './gate.ts'
import type { Journal, Row } from './journal.ts'
import { readRequests, type LineLimits, type LineName, type RequestLine } from './request-line.ts'

export type LineWork = {
  input: string
  limits: LineLimits
  journal: Journal
  /** Bytes of lines that are held. */
  room: Gate
  /** Lines that are begun before the first of them is done. */
  ahead: number
  /** Undefined where it was stopped. */
  work: (line: RequestLine) => Promise<Row | undefined>
  /** What is written in place of a line that was stopped; after `end` nothing is. */
  onStopped: (line: LineName) => Promise<Row | 'gap' | 'end'>
  onRow: (row: Row) => void
  /** Whether the journal is still this server's to write. */
  isHeld: () => boolean
  stop: AbortSignal
}

/** Ends when all is done, or soon after `stop`: what was begun then is written, too, as long as `isHeld`. */
export async function workLines (asked: LineWork) {
  const { input, limits, journal, room, ahead, work, onStopped, onRow, isHeld, stop } = asked
  const attempt = ({ line, leave }: { line: RequestLine; leave: Leave }) =>
    work(line)
      .finally(leave)
      .then(
        row => (row ? { row } : { stopped: { id: line.id, customId: line.customId } }), // a body may be large
        (error: unknown) => ({ error })
      )
  for await (const outcome of inOrder(begun(), ahead, attempt)) {
    if ('error' in outcome) throw outcome.error
    const row = 'row' in outcome ? outcome.row : await onStopped(outcome.stopped)
    if (row === 'end' || !isHeld()) return // those behind it will be done anew
    if (row === 'gap') continue
    await journal.add(row)
    if ('row' in outcome) onRow(row)
  }

  async function * begun () {
    let done = journal.rows()
    for await (const line of readRequests(input, limits)) {
      if (done-- > 0) continue
      const leave = await room.enter(stop, line.bytes)
      if (!leave) return
      yield { line, leave }
    }
  }
}
