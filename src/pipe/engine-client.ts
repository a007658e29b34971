/** The server's end of one engine process: numbers requests, and sees to it that each ends exactly once. */
import { errorFromCode, ServerError } from '../errors.ts'
import { filesOf } from '../package/package.ts'
import { unlessAborted } from './abort.ts'
import { bytesOf } from './bytes.ts'
import { machineMs } from './clock.ts'
import { createClosing } from './closing.ts'
import { worstCost } from './cost.ts'
import { restartingError, unloadedError, unreadError } from './engine-errors.ts'
import { startEngineProcess } from './engine-process.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { Direction, EngineCounts, FromEngine, Opened, ToEngine } from './messages.ts'
import { createRequests, type Answer, type Listeners, type Place } from './requests.ts'
import { watchTrouble, wordsOf, type Trouble } from './trouble.ts'
import type { Work } from './work.ts'

export type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>

export type EngineOptions = Omit<Extract<ToEngine, { kind: 'open' }>, 'kind'> & {
  log: Log
  /** Silence after which the process is taken for hung and killed; 0 lets its work decide. */
  engineTimeoutMs: number
  onCounts?: ((counts: EngineCounts) => void) | undefined
  /** Hears the bytes of arrays that cross the pipe. */
  onBytes?: ((model: string, direction: Direction, bytes: number) => void) | undefined
  /** Hears once that the device is lost, or has too little memory; the process ends then. */
  onTrouble?: ((trouble: Trouble) => void) | undefined
  /** What its environment has beside the server's. */
  environment?: Record<string, string> | undefined
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

/** Starts an engine process on a model package. Await `ready` before the first `submit`. */
export function createEngineClient ({
  log,
  engineTimeoutMs,
  onCounts,
  onBytes,
  onTrouble,
  environment,
  entry,
  ...open
}: EngineOptions) {
  const { manifest, queueLimit } = open
  const child = startEngineProcess({ entry, environment, onMessage: receive, onLine })
  const { ended, send } = child
  const where = { model: manifest.name, enginePid: child.pid }
  const requests = createRequests()
  const closing = createClosing(child, requests.idle)
  const trouble = watchTrouble({ device: open.device, onTrouble, end: child.kill })
  const hasRoom = () => requests.unanswered() < queueLimit
  let counts = noCounts
  let lastPlaced = 0
  let onReady = (_opened: Opened) => {}
  let onFailed = (_error: Error) => {}

  const heartbeat = createHeartbeat({
    timeoutMs: engineTimeoutMs,
    largestGraphBytes: Math.max(...filesOf(manifest).map(({ bytes }) => bytes)),
    isBusy () {
      const oldest = requests.oldest()
      return oldest !== undefined && oldest <= lastPlaced
    },
    ping: () => send({ kind: 'ping' }),
    onHung (silentMs) {
      log.error({ ...where, silentMs }, 'engine hangs')
      child.kill()
    }
  })
  const ready = new Promise<Opened>((resolve, reject) => {
    onReady = resolve
    onFailed = reject
  })
  ready.catch(() => {}) // whoever awaits it hears of it
  ended.then(endAll)
  send({ kind: 'open', ...open })

  return {
    pid: child.pid,
    /**
     * What it says once the model is open. Rejects with `model_unavailable` (it cannot be opened) or
     * `engine_restarting` (the process ended).
     */
    ready,
    /** Why the process ended, once it has. */
    ended,
    /** What it has to do at most, as requests are charged. */
    cost: requests.cost,
    /** Whether it would take one more request. */
    hasRoom,
    /** The place that a request would have now. */
    place: requests.place,
    /** The engine's latest report. */
    counts: () => counts,
    submit,
    close: closing.close
  }

  /** Runs one request. Rejects with an error of the table: the engine's own, or for its end, or the signal's reason. */
  async function submit<W extends Work> (
    work: W,
    { signal, onPlaced, isBulk = false, client = '', ...listeners }: SubmitOptions = {}
  ): Promise<Answer<W>> {
    signal?.throwIfAborted()
    if (closing.hasBegun()) throw new ServerError('draining', 'The model is being unloaded')
    if (!child.isReachable()) {
      await ended
      throw unreadError()
    }
    if (!hasRoom()) {
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

  function receive (message: FromEngine) {
    heartbeat.heard()
    switch (message.kind) {
      case 'ready':
        heartbeat.opened()
        trouble.opened()
        if (message.cache) log.info({ ...where, ...message }, `keys and values lie on the ${message.cache}`)
        return onReady(message)
      case 'failed':
        log.error({ ...where, detail: message.detail }, 'engine cannot open the model')
        if (message.trouble) trouble.arose(message.trouble)
        return onFailed(new ServerError('model_unavailable', message.reason))
      case 'trouble':
        log.error({ ...where, detail: message.detail }, wordsOf[message.trouble])
        return trouble.arose(message.trouble)
      case 'counts':
        counts = message.counts
        for (const { seconds } of counts.units) heartbeat.sawUnit(seconds * 1000)
        return onCounts?.(counts)
      case 'placed':
        lastPlaced = message.id
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

  function onLine (line: string) {
    log.warn(where, line)
    trouble.hear(line)
  }

  function endAll () {
    heartbeat.stop()
    onFailed(restartingError())
    requests.endAll(endError)
    counts = noCounts
    onCounts?.(counts)
  }

  function endError (id: number) {
    if (closing.hasBegun()) return unloadedError()
    return id > lastPlaced ? unreadError() : restartingError()
  }
}
