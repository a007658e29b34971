/** Keeps one engine process running: starts it, and starts it again when it ends. */
import { setTimeout as pause } from 'node:timers/promises'
import { ServerError } from '../errors.ts'
import type { EngineClient, Log } from '../pipe/engine-client.ts'
import type { Opened } from '../pipe/messages.ts'
import { tellReason } from './failure.ts'

/**
 * `failed` is for good: the engine cannot run, or has ended at each of its first starts. What has run once is started
 * again and again; in a pause, `tries` counts the starts in a row that failed, and `reason` says why it could not run,
 * where more is known than that it ended.
 */
export type EngineState =
  | { is: 'starting' }
  | { is: 'ready'; engine: EngineClient; device: string; cache: Opened['cache'] | undefined }
  | { is: 'pausing'; until: number; tries: number; reason?: string }
  | { is: 'failed'; reason: string }
  | { is: 'stopped' }

export type Supervisor = ReturnType<typeof supervise>

type Life = { ranMs: number } | { endedAtStart: true } | { reason: string }

export const endedAtEachStart = 'its engine process ended at each start'

const healthyMs = 60_000
const mostFirstStarts = 5

/**
 * `start` begins one engine process, `rest` waits between two of them. `onChange` hears of every new state, `onRestart`
 * of each start but the first.
 */
export function supervise ({
  model,
  start,
  rest = waitFor,
  log,
  onChange,
  onRestart
}: {
  model: string
  start: (signal: AbortSignal) => Promise<EngineClient>
  rest?: (ms: number, signal: AbortSignal) => Promise<void>
  log: Log
  onChange: () => void
  onRestart?: (() => void) | undefined
}) {
  const stopping = new AbortController()
  const { signal } = stopping
  let engine: EngineClient | undefined
  let state: EngineState = { is: 'starting' }
  const stopped = run()

  return {
    state: () => state,

    /**
     * Ends the process, after its requests had `graceMs` to finish; resolves when it is gone. A later call can only
     * shorten the time.
     */
    async stop (graceMs: number): Promise<void> {
      stopping.abort()
      await engine?.close(graceMs)
      await stopped
    }
  }

  async function run (): Promise<void> {
    let failures = 0
    let tries = 0
    let hasRun = false
    for (;;) {
      const life = await live()
      if (signal.aborted) return change({ is: 'stopped' })
      hasRun ||= 'ranMs' in life
      tries = 'ranMs' in life ? 0 : tries + 1
      if (!hasRun && 'reason' in life) return change({ is: 'failed', reason: life.reason })
      if (!hasRun && tries === mostFirstStarts) return change({ is: 'failed', reason: endedAtEachStart })
      if ('ranMs' in life && life.ranMs >= healthyMs) failures = 0
      const pauseMs = restartPauseMs(failures++)
      const until = Date.now() + pauseMs
      change({ is: 'pausing', until, tries, ...('reason' in life && { reason: life.reason }) })
      await rest(pauseMs, signal)
      if (signal.aborted) return change({ is: 'stopped' })
      change({ is: 'starting' })
      onRestart?.()
    }
  }

  /** One process from its start to its end. */
  async function live (): Promise<Life> {
    try {
      engine = await start(signal)
      const { device, cache } = await engine.ready
      signal.throwIfAborted()
      const from = performance.now()
      log.info({ model, enginePid: engine.pid, device }, 'model ready')
      change({ is: 'ready', engine, device, cache })
      const reason = await engine.ended
      if (!signal.aborted) log.error({ model, enginePid: engine.pid, reason }, 'engine process ended')
      return { ranMs: performance.now() - from }
    } catch (error) {
      await engine?.close()
      if (signal.aborted) return { endedAtStart: true }
      log.error({ model, enginePid: engine?.pid, err: error }, 'engine does not start')
      return hasEnded(error) ? { endedAtStart: true } : { reason: tellReason(error) }
    } finally {
      engine = undefined
    }
  }

  function change (next: EngineState): void {
    state = next
    onChange()
  }
}

/** The pause before a restart that follows `failures` others: none, then half a second, doubling to 30 s. */
export function restartPauseMs (failures: number) {
  return failures === 0 ? 0 : Math.min(500 * 2 ** (failures - 1), 30_000)
}

/** Resolves after the time, or when the signal aborts. */
function waitFor (ms: number, signal: AbortSignal): Promise<void> {
  return pause(ms, undefined, { signal }).catch(() => {})
}

function hasEnded (error: unknown) {
  return error instanceof ServerError && error.code === 'engine_restarting'
}
