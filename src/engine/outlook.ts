/** How long it may be until the device has done with some units, from how long they took lately. */
import { machineMs } from '../pipe/clock.ts'
import type { Stage } from '../pipe/messages.ts'
import type { Unit } from './stations/queue.ts'

const mostSeen = 15
const fewest = 4 // of as many rows, that they are gone by alone
const otherRows = 1 / 6 // more or fewer count as as many
const turnMs = 0.1 // of the loop, where no unit runs

// until something was seen: lavit-mini
const first: Record<Stage, number> = { encode: 6, prefill: 4, decode: 4, paint: 15 }

type Size = Pick<Unit, 'kind' | 'rows'>

export type Outlook = ReturnType<typeof createOutlook>

/** Told of each unit when it begins, when it is done, and when the loop turns to the next one. */
export function createOutlook (now = machineMs) {
  const seen: Record<Stage, { rows: number; ms: number }[]> = { encode: [], prefill: [], decode: [], paint: [] }
  let last: { unit: Size; from: number; isDone: boolean } | undefined

  return {
    begin (unit: Size): void {
      last = { unit, from: now(), isDone: false }
    },

    end (): void {
      if (last) last.isDone = true
    },

    /** A unit lasts until here: with what its requests make of it. */
    turn (): void {
      if (!last) return
      const { unit, from } = last
      seen[unit.kind].unshift({ rows: unit.rows, ms: now() - from })
      if (seen[unit.kind].length > 2 * mostSeen) seen[unit.kind].pop()
      last = undefined
    },

    /** Milliseconds until one begins that comes after the unit that runs and units of these kinds. */
    after: (kinds: Stage[]): number =>
      kinds.reduce((ms, kind) => ms + (medianOf(seen[kind].map(unit => unit.ms)) ?? first[kind]), remaining())
  }

  /** As units of its size went on that had lasted as long. */
  function remaining (): number {
    if (!last || last.isDone) return turnMs
    const { unit, from } = last
    const elapsed = now() - from
    const alike = seen[unit.kind].filter(({ rows }) => Math.abs(rows - unit.rows) <= otherRows * unit.rows)
    const longer = (alike.length < fewest ? seen[unit.kind] : alike).filter(({ ms }) => ms > elapsed)
    const expected = seen[unit.kind].length === 0 ? first[unit.kind] : medianOf(longer.map(({ ms }) => ms))
    return Math.max(turnMs, (expected ?? elapsed) - elapsed)
  }
}

/** Of the latest. */
function medianOf (values: number[]): number | undefined {
  const latest = values.slice(0, mostSeen)
  return latest.sort((a, b) => a - b)[latest.length >> 1]
}
