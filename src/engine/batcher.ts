/**
 * The loop that owns the device: starts a flow for each request, runs one unit at a time, and ends each request exactly
 * once.
 */
import { setImmediate } from 'node:timers/promises'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import type { Bus, BusCounts } from '../graphs/bus.ts'
import { machineMs } from '../pipe/clock.ts'
import type { BusReport, Course, EngineCounts, FromEngine, Timings } from '../pipe/messages.ts'
import type { Work } from '../pipe/work.ts'
import { createAdmission, type Limits } from './admission.ts'
import { createDevice, type Graphs } from './device.ts'
import { codeOf } from './failure.ts'
import { startFlow } from './flows/start.ts'
import { createOutlook } from './outlook.ts'
import type { Unit } from './stations/queue.ts'
import { createTicket, noteUnit, type Ticket } from './ticket.ts'
import { createTurns } from './turns.ts'

const reportEveryMs = 100

class Cancelled extends Error {}

export type Batcher = ReturnType<typeof createBatcher>

/** `send` hears of every request that ends, and of the counts: at most every 100 ms, and when nothing is left. */
export function createBatcher ({
  manifest,
  graphs,
  limits,
  prefixBytes,
  bus,
  send
}: {
  manifest: Manifest
  graphs: Graphs
  limits: Limits
  prefixBytes?: number | undefined
  /** Of a device that has memory of its own. */
  bus?: Bus | undefined
  send: (message: FromEngine) => void
}) {
  const { stations, cache, next, before, leave } = createDevice(manifest, graphs, limits.slots, prefixBytes)
  const admission = createAdmission(manifest, limits)
  const tickets = new Map<number, Ticket>()
  let units: EngineCounts['units'] = []
  let reportedAt = -Infinity
  let reported = { up: 0, down: 0 } // of the bus
  const turns = createTurns()
  const outlook = createOutlook()
  let current: Unit | undefined
  let running: Promise<void> | undefined
  let isClosing = false

  return { submit, cancel, counts, close }

  /**
   * Takes a request, or refuses it at once with an error message. With `isFollowed` its parts are sent as they come;
   * with `isBulk` it yields to those that are not. Clients take turns.
   */
  function submit (
    id: number,
    work: Work,
    { isFollowed = false, isBulk = false, client = '', sentAt = machineMs() } = {}
  ): void {
    try {
      if (isClosing) throw new ServerError('draining', 'The model is being unloaded')
      const charge = admission.admit(work)
      const ticket = createTicket(
        { id, charge, client, isBulk, turn: turns.take(client, charge), sentAt },
        isFollowed ? part => send({ kind: 'part', id, part }) : () => {}
      )
      tickets.set(id, ticket)
      startFlow(ticket, work, stations).then(
        result => end(ticket, (timings, course) => ({ kind: 'done', id, result, timings, course })),
        error =>
          end(ticket, () =>
            error instanceof Cancelled ? { kind: 'cancelled', id } : { kind: 'error', id, ...codeOf(error) }
          )
      )
      const startMs = machineMs() - sentAt + outlook.after(before(ticket, current))
      send({ kind: 'placed', id, outlook: { ahead: waiting().length - 1, startMs } })
      tellPositions()
    } catch (error) {
      return send({ kind: 'error', id, ...codeOf(error) })
    }
    running ??= loop().finally(() => {
      running = undefined
    })
  }

  /** Those that have not begun. */
  function waiting (): Ticket[] {
    return [...tickets.values()].filter(({ isStarted, isCancelled }) => !isStarted && !isCancelled)
  }

  /** How many that have not begun are ahead of each that has not: told first when it is taken, then when it changes. */
  function tellPositions (): void {
    for (const [position, ticket] of waiting().entries()) {
      if (ticket.toldPosition !== position) ticket.tell({ kind: 'queued', position })
      ticket.toldPosition = position
    }
  }

  /** Takes effect before the next unit. A request that has ended is left alone. */
  function cancel (id: number): void {
    const ticket = tickets.get(id)
    if (ticket !== undefined) ticket.isCancelled = true
  }

  function counts (): EngineCounts {
    const started = [...tickets.values()].filter(({ isStarted }) => isStarted).length
    return {
      waiting: tickets.size - started,
      running: started,
      slotsInUse: cache.inUse(),
      queuedCost: admission.cost(),
      units,
      ...(bus && { bus: busReport(bus.counts()) })
    }
  }

  /** Refuses new requests, cancels the others, and resolves when the device is idle. */
  async function close (): Promise<void> {
    isClosing = true
    for (const id of tickets.keys()) cancel(id)
    await running
  }

  async function loop (): Promise<void> {
    await setImmediate() // what arrived together starts together
    while (tickets.size > 0) {
      for (const ticket of tickets.values()) if (ticket.isCancelled) stop(ticket, new Cancelled())
      await setImmediate() // lets flows unwind, cancels and new requests in
      current = next()
      if (current !== undefined) await run(current)
      else if (tickets.size > 0 && ![...tickets.values()].some(({ isCancelled }) => isCancelled)) {
        for (const ticket of tickets.values()) stop(ticket, new Error('nothing can run'))
      }
      tellPositions()
      await setImmediate() // flows that have what they waited for enter their next station
      outlook.turn()
      current = undefined
      report()
    }
  }

  async function run (unit: Unit): Promise<void> {
    const from = machineMs()
    outlook.begin(unit)
    for (const ticket of unit.tickets) turns.begin(ticket.turn)
    for (const ticket of unit.tickets.filter(({ isStarted }) => !isStarted)) {
      ticket.isStarted = true
      ticket.timings.start = from - ticket.sentAt
    }
    const begun = unit.tickets.filter(({ phases }) => phases[unit.kind] === undefined)
    if (begun.length > 0) send({ kind: 'begun', ids: begun.map(({ id }) => id), stage: unit.kind })
    const settle = await unit.run().catch(error => () => {
      for (const ticket of unit.tickets) stop(ticket, error)
    })
    const to = machineMs()
    for (const ticket of unit.tickets) noteUnit(ticket, unit.kind, from, to)
    units.push({ kind: unit.kind, rows: unit.rows, seconds: (to - from) / 1000 })
    outlook.end()
    settle()
  }

  /** Rejects whatever the request waits for; its flow unwinds. */
  function stop (ticket: Ticket, reason: Error): void {
    ticket.ended ??= reason
    leave(ticket, ticket.ended)
  }

  /** The one way out: gives back all that the request holds, then tells. */
  function end (ticket: Ticket, message: (timings: Timings, course: Course) => FromEngine): void {
    stop(ticket, new Error('ended'))
    for (const slot of ticket.slots) cache.release(slot)
    tickets.delete(ticket.id)
    admission.end(ticket.charge)
    if (!ticket.isStarted) turns.giveBack(ticket.client, ticket.charge)
    const { phases, kept, timings: { encode, prefill, decode, paint } } = ticket
    const ms = machineMs() - ticket.sentAt
    const queue = Math.max(0, ms - encode - prefill - decode - paint)
    send(message({ ...ticket.timings, queue }, { ms, phases, kept }))
  }

  function busReport ({ up, down, ...held }: BusCounts): BusReport {
    return { up: up - reported.up, down: down - reported.down, ...held }
  }

  function report (): void {
    const now = performance.now()
    if (now - reportedAt < reportEveryMs && tickets.size > 0) return
    reportedAt = now
    send({ kind: 'counts', counts: counts() })
    units = []
    if (bus) reported = bus.counts()
  }
}
