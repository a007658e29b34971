/**
 * The loop that owns the device: starts a flow for each request, runs one unit at a time, and ends each request exactly
 * once.
 */
import { setImmediate } from 'node:timers/promises'
import { ServerError } from '../errors.ts'
import type { Heads } from '../graphs/heads.ts'
import type { LanguageModel } from '../graphs/language-model.ts'
import type { PixelDecoder } from '../graphs/pixel-decoder.ts'
import type { VisualTokenizer } from '../graphs/visual-tokenizer.ts'
import type { Manifest } from '../package/manifest.ts'
import { createAdmission, type Limits } from './admission.ts'
import { detokenize } from './flows/detokenize.ts'
import type { Stations } from './flows/flow.ts'
import { generate } from './flows/generate.ts'
import { text } from './flows/text.ts'
import { tokenize } from './flows/tokenize.ts'
import { createKvCache } from './kv-cache.ts'
import type { EngineCounts, FromEngine } from '../pipe/messages.ts'
import type { PaintResult, TextResult, TokenizeResult, Work } from '../pipe/work.ts'
import { createDecode } from './stations/decode.ts'
import { createEncode } from './stations/encode.ts'
import { createPaint } from './stations/paint.ts'
import { createPrefill } from './stations/prefill.ts'
import type { Unit } from './stations/queue.ts'
import { createTicket, type Ticket } from './ticket.ts'

const reportEveryMs = 100

class Cancelled extends Error {}

export type Graphs = {
  visualTokenizer: VisualTokenizer
  languageModel: LanguageModel
  heads: Heads
  pixelDecoder?: PixelDecoder | undefined
}
export type Batcher = ReturnType<typeof createBatcher>

/** `send` hears of every request that ends, and of the counts: at most every 100 ms, and when nothing is left. */
export function createBatcher ({
  manifest,
  graphs,
  limits,
  send
}: {
  manifest: Manifest
  graphs: Graphs
  limits: Limits
  send: (message: FromEngine) => void
}) {
  const {
    layers,
    kv_heads: kvHeads,
    head_dim: headDim,
    max_length: maxLength,
    hidden_size: hiddenSize
  } = manifest.language_model
  const cache = createKvCache({ slots: limits.slots, layers, kvHeads, headDim, maxLength })
  const admission = createAdmission(manifest, limits)
  const encode = createEncode(graphs.visualTokenizer, manifest)
  const prefill = createPrefill(graphs.languageModel, graphs.heads, cache, { layers, kvHeads, headDim, hiddenSize })
  const decode = createDecode(graphs.languageModel, graphs.heads, cache, hiddenSize)
  const paint = createPaint(graphs.pixelDecoder, manifest.pixel_decoder)
  const order = [encode, prefill, decode, paint]
  const stations: Stations = { manifest, cache, ...encode, ...prefill, ...decode, ...paint }
  const tickets = new Map<number, Ticket>()
  let units: EngineCounts['units'] = []
  let reportedAt = -Infinity
  let turn = 0 // index of the station that is asked first
  let running: Promise<void> | undefined
  let isClosing = false

  return { submit, cancel, counts, close }

  /**
   * Takes a request, or refuses it at once with an error message. With `isFollowed` its parts are sent as they come.
   */
  function submit (id: number, work: Work, isFollowed = false): void {
    try {
      if (isClosing) throw new ServerError('draining', 'The model is being unloaded')
      const ticket = createTicket(
        id,
        admission.admit(work),
        isFollowed ? part => send({ kind: 'part', id, part }) : () => {}
      )
      tickets.set(id, ticket)
      tellPositions()
      flowOf(ticket, work).then(
        result => end(ticket, timings => ({ kind: 'done', id, result, timings })),
        error =>
          end(ticket, () =>
            error instanceof Cancelled ? { kind: 'cancelled', id } : { kind: 'error', id, ...codeOf(error) }
          )
      )
    } catch (error) {
      send({ kind: 'error', id, ...codeOf(error) })
      return
    }
    running ??= loop().finally(() => {
      running = undefined
    })
  }

  function flowOf (ticket: Ticket, work: Work): Promise<TokenizeResult | TextResult | PaintResult> {
    switch (work.task) {
      case 'tokenize':
        return tokenize(ticket, work, stations)
      case 'text':
        return text(ticket, work, stations)
      case 'generate':
        return generate(ticket, work, stations)
      case 'detokenize':
        return detokenize(ticket, work, stations)
    }
  }

  /** How many that have not begun are ahead of each that has not: told first when it is taken, then when it changes. */
  function tellPositions (): void {
    const waiting = [...tickets.values()].filter(({ isStarted, isCancelled }) => !isStarted && !isCancelled)
    for (const [position, ticket] of waiting.entries()) {
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
      units
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
      const unit = nextUnit()
      if (unit !== undefined) await run(unit)
      else if (tickets.size > 0 && ![...tickets.values()].some(({ isCancelled }) => isCancelled)) {
        for (const ticket of tickets.values()) stop(ticket, new Error('nothing can run'))
      }
      tellPositions()
      await setImmediate() // flows that have what they waited for enter their next station
      report()
    }
  }

  /** Asks the stations in turn, so that each with work gets its share. */
  function nextUnit (): Unit | undefined {
    for (let i = 0; i < order.length; i++) {
      const place = (turn + i) % order.length
      const unit = order[place]!.next()
      if (unit === undefined) continue
      turn = place + 1
      return unit
    }
  }

  async function run (unit: Unit): Promise<void> {
    const from = performance.now()
    for (const ticket of unit.tickets) ticket.isStarted = true
    const settle = await unit.run().catch(error => () => {
      for (const ticket of unit.tickets) stop(ticket, error)
    })
    const ms = performance.now() - from
    for (const { timings } of unit.tickets) timings[unit.kind] += ms
    units.push({ kind: unit.kind, rows: unit.rows, seconds: ms / 1000 })
    settle()
  }

  /** Rejects whatever the request waits for; its flow unwinds. */
  function stop (ticket: Ticket, reason: Error): void {
    ticket.ended ??= reason
    for (const station of order) station.leave(ticket, ticket.ended)
  }

  /** The one way out: gives back all that the request holds, then tells. */
  function end (ticket: Ticket, message: (timings: Ticket['timings']) => FromEngine): void {
    stop(ticket, new Error('ended'))
    for (const slot of ticket.slots) cache.release(slot)
    tickets.delete(ticket.id)
    admission.end(ticket.charge)
    const { encode, prefill, decode, paint } = ticket.timings
    const queue = Math.max(0, performance.now() - ticket.acceptedAt - encode - prefill - decode - paint)
    send(message({ ...ticket.timings, queue }))
  }

  function report (): void {
    const now = performance.now()
    if (now - reportedAt < reportEveryMs && tickets.size > 0) return
    reportedAt = now
    send({ kind: 'counts', counts: counts() })
    units = []
  }
}

/** A typed error crosses as it is, anything else as a fault of ours. */
function codeOf (error: unknown): { code: string; detail: string; retryAfterSeconds?: number } {
  if (!(error instanceof ServerError)) return { code: 'internal_error', detail: causesOf(error) }
  const { code, message: detail, retryAfterSeconds } = error
  return { code, detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

/** The messages of an error and of what caused it. */
export function causesOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${causesOf(error.cause)}`
}
