/**
 * The engine processes of one model behind one `submit`: each supervised alone, so that the end of one costs its own
 * requests only.
 */
import { unlessAborted } from '../pipe/abort.ts'
import { noCounts, type EngineClient, type Log, type SubmitOptions } from '../pipe/engine-client.ts'
import { isUnread } from '../pipe/engine-errors.ts'
import type { EngineCounts } from '../pipe/messages.ts'
import type { Answer, Place } from '../pipe/requests.ts'
import type { Work } from '../pipe/work.ts'
import { createChoice, idlestOf } from './choose.ts'
import { impatiently, restartingError, unavailable, unloadedError } from './failure.ts'
import { endedAtEachStart, supervise, type EngineState } from './supervisor.ts'

export type Pool = ReturnType<typeof createPool>

export type PoolOptions = {
  model: string
  engines: number
  /** Begins one engine process, which reports its counts. */
  start: (signal: AbortSignal, onCounts: (counts: EngineCounts) => void) => Promise<EngineClient>
  /** Hears the counts of all engines together; `units` are those since the last call. */
  onCounts: (counts: EngineCounts) => void
  /** Hears of each start of an engine that is not its first. */
  onRestart?: (() => void) | undefined
  /** Whether another package lies in its place: then no engine is started any more. */
  isOutdated?: (() => boolean) | undefined
  /** Hears why, where engines that have run cannot be started any more; whether another pool takes their place. */
  onLost?: ((reason: string) => boolean) | undefined
  log: Log
}

const longestSilentPauseMs = 2000 // a restart further away than this is told at once
const replacementMs = 5000 // that opening it elsewhere may take
const fewTries = 3 // of every engine in a row, after which what they run on is taken for lost

export function createPool ({ model, engines, start, onCounts, onRestart, isOutdated, onLost, log }: PoolOptions) {
  const counts: EngineCounts[] = Array.from({ length: engines }, () => noCounts)
  const waiting = new Set<() => void>()
  const choose = createChoice<EngineClient>()
  let hasRun = false
  let isReplaced = false
  const supervisors = counts.map((_, index) =>
    supervise({
      model,
      log,
      onRestart,
      start: signal =>
        start(signal, report => {
          counts[index] = report
          onCounts(sum(counts, report))
        }),
      onChange () {
        hasRun ||= running().length > 0
        if (!isReplaced && isLost()) isReplaced = onLost?.(reason() ?? endedAtEachStart) ?? false
        for (const wake of waiting) wake()
        waiting.clear()
      }
    })
  )

  return {
    /** Resolves when the first engine runs; rejects with `model_unavailable` when none can, or with `draining`. */
    opened: (signal: AbortSignal) => until(signal, () => false),

    ready,

    isReady: () => running().length > 0,

    reason,

    /** How many engines run. */
    running: () => running().length,

    /** Whether engines on a GPU keep keys and values in the host's memory. */
    keepsOnHost: () => running().some(({ cache }) => cache === 'host'),

    /** The place that a request would have now. */
    place: (): Place => idlestOf(runningEngines())?.place() ?? { ahead: 0, beside: 0 },

    submit,

    /** Ends every process, after requests had `graceMs` to finish. A later call can only shorten the time. */
    async close (graceMs: number): Promise<void> {
      await Promise.all(supervisors.map(supervisor => supervisor.stop(graceMs)))
    }
  }

  /**
   * As `opened`, for a request: rejects also with `engine_restarting`, or with the reason and a time to come back,
   * where the next start is far.
   */
  function ready (signal: AbortSignal | undefined): Promise<void> {
    return impatiently(until(signal, isFarAway), () => restartingError(5000))
  }

  /** Runs one request on an engine with little to do. One that a dying engine had not read goes to another. */
  async function submit<W extends Work> (work: W, options: SubmitOptions = {}): Promise<Answer<W>> {
    for (;;) {
      await ready(options.signal)
      // chosen and charged without a pause, so that works that come together spread
      const engine = choose(enginesWithRoom(), work)
      if (engine === undefined) continue
      try {
        return await engine.submit(work, options)
      } catch (error) {
        if (!isUnread(error)) throw error
      }
    }
  }

  async function until (signal: AbortSignal | undefined, isTooFar: (state: EngineState) => boolean): Promise<void> {
    while (running().length === 0) {
      const all = states()
      if (isReplaced) throw restartingError(replacementMs)
      if (all.some(({ is }) => is === 'stopped')) throw unloadedError()
      if (all.every(state => state.is === 'failed' || isTooFar(state))) throw errorOf(all)
      await unlessAborted(new Promise<void>(resolve => waiting.add(resolve)), signal)
    }
  }

  function errorOf (all: EngineState[]): Error {
    const reason = all.map(reasonOf).find(reason => reason !== undefined)
    const pauses = all.flatMap(state => (state.is === 'pausing' ? [state.until - Date.now()] : []))
    if (pauses.length === 0) return unavailable(model, reason ?? 'no engine runs')
    const waitMs = Math.max(1, Math.min(...pauses))
    return reason === undefined ? restartingError(waitMs) : unavailable(model, reason, Math.ceil(waitMs / 1000))
  }

  /** Why no engine runs, where it is known. */
  function reason (): string | undefined {
    return running().length > 0 ? undefined : states().map(reasonOf).find(reason => reason !== undefined)
  }

  function isLost (): boolean {
    if (hasRun && isOutdated?.()) return running().length === 0
    return hasRun && states().every(state => state.is === 'pausing' && state.tries >= fewTries)
  }

  function states (): EngineState[] {
    return supervisors.map(({ state }) => state())
  }

  function runningEngines () {
    return running().map(({ engine }) => engine)
  }

  /** All of them where none has room: then one of them says so. */
  function enginesWithRoom () {
    const all = runningEngines()
    const roomy = all.filter(engine => engine.hasRoom())
    return roomy.length > 0 ? roomy : all
  }

  function running () {
    return states().flatMap(state => (state.is === 'ready' ? [state] : []))
  }
}

function isFarAway (state: EngineState) {
  return state.is === 'pausing' && state.until - Date.now() > longestSilentPauseMs
}

function reasonOf (state: EngineState) {
  return 'reason' in state ? state.reason : undefined
}

/** Gauges of all engines; units and what crossed the bus are events, and belong to one report. */
function sum (counts: EngineCounts[], { units, bus: crossed }: EngineCounts): EngineCounts {
  const total: EngineCounts = { ...noCounts, units }
  const bus = { up: crossed?.up ?? 0, down: crossed?.down ?? 0, buffers: 0, held: 0 }
  for (const { waiting, running, slotsInUse, queuedCost, bus: held } of counts) {
    if (held) {
      bus.buffers += held.buffers
      bus.held += held.held
      total.bus = bus
    }
    total.waiting += waiting
    total.running += running
    total.slotsInUse += slotsInUse
    total.queuedCost += queuedCost
  }
  return total
}
