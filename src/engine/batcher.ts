/** The loop that owns the device: takes requests in, runs one unit of work at a time, and ends each request exactly once. */
import { setImmediate } from 'node:timers/promises'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { createAdmission, type Limits } from './admission.ts'
import { createKvCache } from './kv-cache.ts'
import type { EngineCounts, FromEngine } from '../pipe/messages.ts'
import type { Work } from '../pipe/work.ts'
import { createRequest, type Request } from './request.ts'
import { nextDecode, nextEncode, nextPaint, nextPrefill, type Bench, type Graphs, type Unit } from './units.ts'

const kinds = [nextEncode, nextPrefill, nextDecode, nextPaint]
const reportEveryMs = 100

export type Batcher = ReturnType<typeof createBatcher>

/** `send` hears of every request that ends, and of the counts: at most every 100 ms, and when nothing is left. */
export function createBatcher ({ manifest, graphs, limits, send }: {
  manifest: Manifest
  graphs: Graphs
  limits: Limits
  send: (message: FromEngine) => void
}) {
  const { layers, kv_heads: kvHeads, head_dim: headDim, max_length: maxLength } = manifest.language_model
  const cache = createKvCache({ slots: limits.slots, layers, kvHeads, headDim, maxLength })
  const admission = createAdmission(manifest, limits)
  const requests = new Map<number, Request>()
  const bench: Bench = {
    manifest,
    graphs,
    cache,
    requests: () => [...requests.values()],
    done: (request, result) => end(request, timings => ({ kind: 'done', id: request.id, result, timings })),
    failed: (request, error) => end(request, () => ({ kind: 'error', id: request.id, ...codeOf(error) }))
  }
  let units: EngineCounts['units'] = []
  let reportedAt = -Infinity
  let turn = 0 // index of the kind that is asked first
  let current: { unit: Unit, start: number } | undefined
  let running: Promise<void> | undefined
  let isClosing = false

  return { submit, cancel, counts, close }

  /** Takes a request, or refuses it at once with an error message. */
  function submit (id: number, work: Work): void {
    try {
      if (isClosing) throw new ServerError('draining', 'The model is being unloaded')
      requests.set(id, createRequest(id, work, admission.admit(work)))
    } catch (error) {
      send({ kind: 'error', id, ...codeOf(error) })
      return
    }
    running ??= loop().finally(() => { running = undefined })
  }

  /** Takes effect before the next unit. A request that has ended is left alone. */
  function cancel (id: number): void {
    const request = requests.get(id)
    if (request !== undefined) request.isCancelled = true
  }

  function counts (): EngineCounts {
    const started = bench.requests().filter(({ isStarted }) => isStarted).length
    return { waiting: requests.size - started, running: started, slotsInUse: cache.inUse(), queuedCost: admission.cost(), units }
  }

  /** Refuses new requests, cancels the others, and resolves when the device is idle. */
  async function close (): Promise<void> {
    isClosing = true
    for (const id of requests.keys()) cancel(id)
    await running
  }

  async function loop (): Promise<void> {
    await setImmediate() // what arrived together starts together
    while (requests.size > 0) {
      for (const request of bench.requests()) if (request.isCancelled) end(request, () => ({ kind: 'cancelled', id: request.id }))
      const unit = nextUnit()
      if (unit !== undefined) await run(unit)
      else for (const request of bench.requests()) bench.failed(request, new Error('nothing can run'))
      report()
      await setImmediate() // lets cancels and new requests in
    }
  }

  /** Asks the kinds in turn, so that each with work gets its share. */
  function nextUnit (): Unit | undefined {
    for (let i = 0; i < kinds.length; i++) {
      const kind = (turn + i) % kinds.length
      const unit = kinds[kind]!(bench)
      if (unit === undefined) continue
      turn = kind + 1
      return unit
    }
  }

  async function run (unit: Unit): Promise<void> {
    const start = performance.now()
    current = { unit, start }
    for (const request of unit.requests) request.isStarted = true
    try {
      await unit.run()
    } catch (error) {
      for (const request of unit.requests) bench.failed(request, error)
    }
    for (const request of unit.requests) addTime(request)
    current = undefined
    units.push({ kind: unit.kind, rows: unit.rows, seconds: (performance.now() - start) / 1000 })
  }

  /** The one way out: gives back all that the request holds, then tells. Later calls for the same request do nothing. */
  function end (request: Request, message: (timings: Request['timings']) => FromEngine): void {
    if (!requests.delete(request.id)) return
    request.sequence?.release()
    for (const slot of request.slots) cache.release(slot)
    request.paintJobs = []
    admission.end(request.charge)
    addTime(request)
    const { encode, prefill, decode, paint } = request.timings
    const queue = Math.max(0, performance.now() - request.acceptedAt - encode - prefill - decode - paint)
    send(message({ ...request.timings, queue }))
  }

  /** Charges the time since the start of the running unit, if the request is in it. */
  function addTime (request: Request): void {
    if (current?.unit.requests.includes(request)) request.timings[current.unit.kind] += performance.now() - current.start
  }

  function report (): void {
    const now = performance.now()
    if (now - reportedAt < reportEveryMs && requests.size > 0) return
    reportedAt = now
    send({ kind: 'counts', counts: counts() })
    units = []
  }
}

/** A typed error crosses as it is, anything else as a fault of ours. */
function codeOf (error: unknown): { code: string, detail: string, retryAfterSeconds?: number } {
  if (!(error instanceof ServerError)) return { code: 'internal_error', detail: causesOf(error) }
  const { code, message: detail, retryAfterSeconds } = error
  return { code, detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

/** The messages of an error and of what caused it. */
export function causesOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${causesOf(error.cause)}`
}
