/**
 * One accepted request: who it is, where its time went, and which slots it holds. All else it holds stands in its flow.
 */
import type { Slot } from './kv-cache.ts'
import type { Course, Stage, Timings } from '../pipe/messages.ts'
import type { Part } from '../pipe/work.ts'

export type Ticket = {
  id: number
  charge: number
  isBulk: boolean // yields to every request that is not
  turn: number // among the requests of all clients
  acceptedAt: number
  timings: Timings
  phases: Course['phases']
  kept: number[] // visual tokens of each picture that was looked at
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
    phases: {},
    kept: [],
    isStarted: false,
    isCancelled: false,
    slots: new Set(),
    tell
  }
}

/** Notes a unit of the request's own, from and to which time. */
export function noteUnit ({ acceptedAt, timings, phases }: Ticket, stage: Stage, from: number, to: number): void {
  timings[stage] += to - from
  const { from: first, units } = phases[stage] ?? { from: from - acceptedAt, units: 0 }
  phases[stage] = { from: first, to: to - acceptedAt, units: units + 1 }
}
