/**
 * One accepted request: who it is, where its time went, and which slots it holds. All else it holds stands in its flow.
 */
import type { Slot } from './kv-cache.ts'
import type { Timings } from '../pipe/messages.ts'
import type { Part } from '../pipe/work.ts'

export type Ticket = {
  id: number
  charge: number
  isBulk: boolean // yields to every request that is not
  turn: number // among the requests of all clients
  acceptedAt: number
  timings: Timings
  isStarted: boolean
  isCancelled: boolean
  toldPosition?: number // in the queue
  slots: Set<Slot>
  tell: (part: Part) => void
  ended?: Error // why nothing may be entered any more
}

export function createTicket (
  { id, charge, isBulk, turn }: Pick<Ticket, 'id' | 'charge' | 'isBulk' | 'turn'>,
  tell: Ticket['tell']
): Ticket {
  const timings = { start: 0, queue: 0, encode: 0, prefill: 0, decode: 0, paint: 0 }
  return {
    id,
    charge,
    isBulk,
    turn,
    acceptedAt: performance.now(),
    timings,
    isStarted: false,
    isCancelled: false,
    slots: new Set(),
    tell
  }
}
