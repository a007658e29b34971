/** The server's end of one engine process: numbers requests, and sees to it that each ends exactly once. */
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { errorFromCode, ServerError } from '../errors.ts'
import { filesOf } from '../package/package.ts'
import { unlessAborted } from './abort.ts'
import { worstCost } from './cost.ts'
import { createDrainRate } from './drain-rate.ts'
import { restartingError, unloadedError, unreadError } from './engine-errors.ts'
import { startEngineProcess } from './engine-process.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { EngineCounts, FromEngine, Timings, ToEngine } from './messages.ts'
import type { Part, ResultOf, Work } from './work.ts'

export type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>

export type EngineOptions = Omit<Extract<ToEngine, { kind: 'open' }>, 'kind'> & {
  log: Log
  /** Silence after which the process is taken for hung and killed; 0 lets its work decide. */
  engineTimeoutMs: number
  onCounts?: ((counts: EngineCounts) => void) | undefined
  /** Another program that speaks the messages, in place of the engine. */
  entry?: URL | undefined
}

/** The signal's reason is the error that the request ends with. `onPart` hears in order what it has so far. */
export type SubmitOptions = { signal?: AbortSignal | undefined; onPart?: ((part: Part) => void) | undefined }
export type Answer<W extends Work> = { result: ResultOf[W['task']]; timings: Timings }
export type EngineClient = ReturnType<typeof createEngineClient>

type Request = {
  resolve: (answer: Answer<Work>) => void
  reject: (error: Error) => void
  onPart: SubmitOptions['onPart']
}

export const noCounts: EngineCounts = { waiting: 0, running: 0, slotsInUse: 0, queuedCost: 0, units: [] }

const exitGraceMs = 1000

/** Starts an engine process on a model package. Await `ready` before the first `submit`. */
export function createEngineClient ({ log, engineTimeoutMs, onCounts, entry, ...open }: EngineOptions) {
  const { manifest, queueLimit } = open
  const child = startEngineProcess(entry)
  const where = { model: manifest.name, enginePid: child.pid }
  const requests = new Map<number, Request>()
  // cost of what was sent and not yet ended by the engine: cancelled ones too
  const unanswered = new Map<number, number>()
  const drain = createDrainRate()
  let counts = noCounts
  let lastId = 0
  let lastAccepted = 0
  let closing: Promise<void> | undefined
  let cut = () => {}
  let onIdle = () => {}

  const heartbeat = createHeartbeat({
    timeoutMs: engineTimeoutMs,
    largestGraphBytes: Math.max(...filesOf(manifest).map(({ bytes }) => bytes)),
    isBusy () {
      const [oldest] = unanswered.keys()
      return oldest !== undefined && oldest <= lastAccepted
    },
    ping: () => send({ kind: 'ping' }),
    onHung (silentMs) {
      log.error({ ...where, silentMs }, 'engine hangs')
      child.kill('SIGKILL')
    }
  })
  const ended = new Promise<string>(resolve => {
    child.on('error', error => resolve(error.message))
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`)) // after the last message, unlike `exit`
  })
  const ready = new Promise<string>((resolve, reject) => {
    child.on('message', message => receive(message as FromEngine, resolve, reject))
    ended.then(() => reject(restartingError()))
  })
  ready.catch(() => {}) // whoever awaits it hears of it
  ended.then(endAll)
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', line => log.warn(where, stripVTControlCharacters(line)))
  }
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
    cost () {
      let sum = 0
      for (const cost of unanswered.values()) sum += cost
      return sum
    },
    /** The engine's latest report. */
    counts: () => counts,
    submit,
    close
  }

  /** Runs one request. Rejects with an error of the table: the engine's own, or for its end, or the signal's reason. */
  async function submit<W extends Work> (work: W, { signal, onPart }: SubmitOptions = {}): Promise<Answer<W>> {
    signal?.throwIfAborted()
    if (closing) throw new ServerError('draining', 'The model is being unloaded')
    if (!child.connected) {
      await ended
      throw unreadError()
    }
    if (unanswered.size >= queueLimit) {
      throw new ServerError('queue_full', 'The model has as many requests as it may have', {
        retryAfterSeconds: drain.secondsFor(1)
      })
    }

    const id = ++lastId
    if (unanswered.size === 0) drain.begin()
    unanswered.set(id, worstCost(work, manifest))
    const answer = new Promise<Answer<Work>>((resolve, reject) => requests.set(id, { resolve, reject, onPart }))
    send({ kind: 'submit', id, work, isFollowed: onPart !== undefined })
    try {
      return (await unlessAborted(answer, signal)) as Answer<W>
    } finally {
      if (take(id)) send({ kind: 'cancel', id })
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
    await new Promise<void>(resolve => {
      cut = resolve
      onIdle = resolve
      if (requests.size === 0) resolve()
    })
    send({ kind: 'close' })
    const timer = setTimeout(() => child.kill('SIGKILL'), exitGraceMs)
    await ended
    clearTimeout(timer)
  }

  function receive (message: FromEngine, onReady: (device: string) => void, onFailed: (error: Error) => void) {
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
      case 'part':
        return requests.get(message.id)?.onPart?.(message.part)
      case 'done':
        return end(message.id, ({ resolve }) => resolve({ result: message.result, timings: message.timings }))
      case 'error':
        return end(message.id, ({ reject }) =>
          reject(errorFromCode(message.code, message.detail, message.retryAfterSeconds))
        )
      case 'cancelled':
        return end(message.id, ({ reject }) => reject(unloadedError())) // if anybody still waits, the engine is closing
    }
  }

  /** The engine has ended a request; whoever left before is not told. */
  function end (id: number, how: (request: Request) => void) {
    if (unanswered.delete(id)) drain.end(1)
    const request = take(id)
    if (request) how(request)
  }

  /** Whoever takes a request ends it. */
  function take (id: number): Request | undefined {
    const request = requests.get(id)
    if (!requests.delete(id)) return
    if (requests.size === 0) onIdle()
    return request
  }

  function endAll () {
    heartbeat.stop()
    for (const id of requests.keys()) end(id, ({ reject }) => reject(endError(id)))
    unanswered.clear()
    counts = noCounts
    onCounts?.(counts)
  }

  function endError (id: number) {
    if (closing) return unloadedError()
    return id > lastAccepted ? unreadError() : restartingError()
  }

  function send (message: ToEngine) {
    if (child.connected) child.send(message, () => {}) // a process that is gone is heard of through `close`
  }
}
