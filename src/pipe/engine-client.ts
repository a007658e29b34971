/** The server's end of one engine process: numbers requests, and sees to it that each ends exactly once. */
import { errorFromCode, ServerError } from '../errors.ts'
import { filesOf } from '../package/package.ts'
import { unlessAborted } from './abort.ts'
import { bytesOf } from './bytes.ts'
import { machineMs } from './clock.ts'
import { worstCost } from './cost.ts'
import { restartingError, unloadedError, unreadError } from './engine-errors.ts'
import { startEngineProcess } from './engine-process.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { Direction, EngineCounts, FromEngine, ToEngine } from './messages.ts'
import { createRequests, type Answer, type Listeners, type Place } from './requests.ts'
import type { Work } from './work.ts'

export type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>

export type EngineOptions = Omit<Extract<ToEngine, { kind: 'open' }>, 'kind'> & {
  log: Log
  /** Silence after which the process is taken for hung and killed; 0 lets its work decide. */
  engineTimeoutMs: number
  onCounts?: ((counts: EngineCounts) => void) | undefined
  /** Hears the bytes of arrays that cross the pipe. */
  onBytes?: ((model: string, direction: Direction, bytes: number) => void) | undefined
  /** Another program that speaks the messages, in place of the engine. */
  entry?: URL | undefined
}

/**
 * The signal's reason is the error that the request ends with. `onPlaced` hears its place as it is sent. Bulk yields to
 * all that is not; clients take turns.
 */
export type SubmitOptions = Listeners & {
  signal?: AbortSignal | undefined
  onPlaced?: ((place: Place) => void) | undefined
  isBulk?: boolean
  client?: string
}
export type EngineClient = ReturnType<typeof createEngineClient>

export const noCounts: EngineCounts = { waiting: 0, running: 0, slotsInUse: 0, queuedCost: 0, units: [] }

const exitGraceMs = 1000

/** Starts an engine process on a model package. Await `ready` before the first `submit`. */
export function createEngineClient ({ log, engineTimeoutMs, onCounts, onBytes, entry, ...open }: EngineOptions) {
  const { manifest, queueLimit } = open
  const child = startEngineProcess({ entry, onMessage: receive, onLine: line => log.warn(where, line) })
  const { ended, send } = child
  const where = { model: manifest.name, enginePid: child.pid }
  const requests = createRequests()
  let counts = noCounts
  let lastAccepted = 0
  let closing: Promise<void> | undefined
  let cut = () => {}
  let onReady = (_device: string) => {}
  let onFailed = (_error: Error) => {}

  const heartbeat = createHeartbeat({
    timeoutMs: engineTimeoutMs,
    largestGraphBytes: Math.max(...filesOf(manifest).map(({ bytes }) => bytes)),
    isBusy () {
      const oldest = requests.oldest()
      return oldest !== undefined && oldest <= lastAccepted
    },
    ping: () => send({ kind: 'ping' }),
    onHung (silentMs) {
      log.error({ ...where, silentMs }, 'engine hangs')
      child.kill()
    }
  })
  const ready = new Promise<string>((resolve, reject) => {
    onReady = resolve
    onFailed = reject
  })
  ready.catch(() => {}) // whoever awaits it hears of it
  ended.then(endAll)
  send({ kind: 'open', ...open })

  return {
    pid: child.pid,
    /**
     * The device, once the model is open. Rejects with `model_unavailable` (it cannot be opened) or `engine_restarting`
     * (the process ended).
     */
    ready,
    /** Why the process ended, once it has. */
    ended,
    /** What it has to do at most, as requests are charged. */
    cost: requests.cost,
    /** The place that a request would have now. */
    place: requests.place,
    /** The engine's latest report. */
    counts: () => counts,
    submit,
    close
  }

  /** Runs one request. Rejects with an error of the table: the engine's own, or for its end, or the signal's reason. */
  async function submit<W extends Work> (
    work: W,
    { signal, onPlaced, isBulk = false, client = '', ...listeners }: SubmitOptions = {}
  ): Promise<Answer<W>> {
    signal?.throwIfAborted()
    if (closing) throw new ServerError('draining', 'The model is being unloaded')
    if (!child.isReachable()) {
      await ended
      throw unreadError()
    }
    if (requests.unanswered() >= queueLimit) {
      throw new ServerError('queue_full', 'The model has as many requests as it may have', {
        retryAfterSeconds: requests.secondsForOne()
      })
    }

    onPlaced?.(requests.place())
    const { id, answer } = requests.open(worstCost(work, manifest), listeners)
    onBytes?.(manifest.name, 'to_engine', bytesOf(work))
    const isFollowed = listeners.onPart !== undefined
    send({ kind: 'submit', id, work, isFollowed, isBulk, client, sentAt: machineMs() })
    try {
      return (await unlessAborted(answer, signal)) as Answer<W>
    } finally {
      if (requests.take(id)) send({ kind: 'cancel', id })
    }
  }

  /**
   * Takes no new work, lets requests finish for `graceMs`, then ends the process; resolves when it is gone. A later
   * call can only shorten the time.
   */
  function close (graceMs = 0): Promise<void> {
    closing ??= shut()
    const timer = setTimeout(cut, graceMs)
    ended.then(() => clearTimeout(timer))
    return closing
  }

  async function shut () {
    const late = new Promise<void>(resolve => {
      cut = resolve
    })
    await Promise.race([requests.idle(), late])
    send({ kind: 'close' })
    const timer = setTimeout(() => child.kill(), exitGraceMs)
    await ended
    clearTimeout(timer)
  }

  function receive (message: FromEngine) {
    heartbeat.heard()
    switch (message.kind) {
      case 'ready':
        heartbeat.opened()
        return onReady(message.device)
      case 'failed':
        log.error({ ...where, detail: message.detail }, 'engine cannot open the model')
        return onFailed(new ServerError('model_unavailable', message.reason))
      case 'counts':
        counts = message.counts
        for (const { seconds } of counts.units) heartbeat.sawUnit(seconds * 1000)
        return onCounts?.(counts)
      case 'accepted':
        lastAccepted = message.id
        return
      case 'placed':
        return requests.tellTaken(message.id, message.outlook)
      case 'begun':
        return requests.begin(message.ids, message.stage)
      case 'part':
        onBytes?.(manifest.name, 'from_engine', bytesOf(message.part))
        return requests.tell(message.id, message.part)
      case 'done':
        onBytes?.(manifest.name, 'from_engine', bytesOf(message.result))
        return requests.end(message.id, ({ resolve }) => resolve(message))
      case 'error':
        return requests.end(message.id, ({ reject }) =>
          reject(errorFromCode(message.code, message.detail, message.retryAfterSeconds))
        )
      case 'cancelled':
        // if anybody still waits, the engine is closing
        return requests.end(message.id, ({ reject }) => reject(unloadedError()))
    }
  }

  function endAll () {
    heartbeat.stop()
    onFailed(restartingError())
    requests.endAll(endError)
    counts = noCounts
    onCounts?.(counts)
  }

  function endError (id: number) {
    if (closing) return unloadedError()
    return id > lastAccepted ? unreadError() : restartingError()
  }
}
