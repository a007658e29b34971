/**
 * One accepted request: who it is, where its time went, and which slots it holds. All else it holds stands in its flow.
 */
import type { Slot } from './kv-cache.ts'
import type { Course, Stage, Timings } from '../pipe/messages.ts'
import type { Part } from '../pipe/work.ts'

export type Ticket = {
  id: number
  charge: number
  client: string
  isBulk: boolean // yields to every request that is not
  turn: number // among the requests of all clients
  sentAt: number // by the clock of the machine
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
  asked: Pick<Ticket, 'id' | 'charge' | 'client' | 'isBulk' | 'turn' | 'sentAt'>,
  tell: Ticket['tell']
): Ticket {
  const timings = { start: 0, queue: 0, encode: 0, prefill: 0, decode: 0, paint: 0 }
  return {
    ...asked,
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
export function noteUnit ({ sentAt, timings, phases }: Ticket, stage: Stage, from: number, to: number): void {
  timings[stage] += to - from
  const { from: first, units } = phases[stage] ?? { from: from - sentAt, units: 0 }
  phases[stage] = { from: first, to: to - sentAt, units: units + 1 }
}
