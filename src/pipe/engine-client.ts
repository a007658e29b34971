/** The server's end of one engine process: starts it, numbers requests, and sees to it that each ends exactly once. */
import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import type { EngineCounts, FromEngine, Timings, ToEngine } from './messages.ts'
import type { Part, ResultOf, Work } from './work.ts'
import { ServerError, errorFromCode } from '../errors.ts'

export type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>

export type EngineOptions = Omit<Extract<ToEngine, { kind: 'open' }>, 'kind'> & {
  log: Log
  /** Told once when the process has ended without being asked to. */
  onExit: (reason: string) => void
  onCounts?: ((counts: EngineCounts) => void) | undefined
  /** Another program that speaks the messages, in place of the engine. */
  entry?: URL | undefined
}

/** `deadlineMs` counts from the call. `onPart` hears what the request has so far, in order, before the answer. */
export type SubmitOptions = { signal?: AbortSignal | undefined, deadlineMs?: number | undefined, onPart?: ((part: Part) => void) | undefined }
export type Answer<W extends Work> = { result: ResultOf[W['task']], timings: Timings }
export type EngineClient = ReturnType<typeof createEngineClient>

type Request = {
  resolve: (answer: Answer<Work>) => void
  reject: (error: Error) => void
  onPart: SubmitOptions['onPart']
}

// Source and build differ in the extension only.
const engineEntry = new URL(`../engine/main${extname(import.meta.url)}`, import.meta.url)
const unread = new WeakSet<Error>()
const longestTimerMs = 2 ** 31 - 1
const exitGraceMs = 2000

/** Starts an engine process on a model package. Await `ready` before the first `submit`. */
export function createEngineClient ({ log, onExit, onCounts, entry = engineEntry, folder, manifest, device, threads, slots, queueLimit, queueCost }: EngineOptions) {
  const execArgv = entry.pathname.endsWith('.ts') ? process.execArgv : [] // TypeScript needs its parent's loaders
  const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' } // the runtime reports each session to its maker otherwise
  const child = fork(entry, [], { env, execArgv, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const requests = new Map<number, Request>()
  let counts: EngineCounts = { waiting: 0, running: 0, slotsInUse: 0, queuedCost: 0, units: [] }
  let lastId = 0
  let lastAccepted = Infinity // until the engine says otherwise
  let closing: Promise<void> | undefined
  let onIdle = () => {}

  const ended = new Promise<string>(resolve => {
    child.on('error', error => resolve(error.message))
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`)) // after the last message, unlike `exit`
  })
  const ready = new Promise<string>((resolve, reject) => {
    child.on('message', message => receive(message as FromEngine, resolve, reject))
    ended.then(() => reject(restartingError()))
  })
  ready.catch(() => {}) // whoever awaits it hears of it
  ended.then(end)
  createInterface({ input: child.stderr! }).on('line', line => log.warn({ model: manifest.name, enginePid: child.pid }, stripVTControlCharacters(line)))
  child.on('disconnect', () => child.kill('SIGKILL')) // unreachable, whatever it still does
  send({ kind: 'open', folder, manifest, device, threads, slots, queueLimit, queueCost })

  return {
    pid: child.pid,
    /** The device, once the model is open. Rejects with `model_unavailable` (it cannot be opened) or `engine_restarting` (the process ended). */
    ready,
    /** The engine's latest report. */
    counts: () => counts,
    submit,
    close
  }

  /** Runs one request. Rejects with an error of the table: the engine's own, or for its end, the signal or the deadline. */
  async function submit<W extends Work> (work: W, { signal, deadlineMs = Infinity, onPart }: SubmitOptions = {}): Promise<Answer<W>> {
    if (signal?.aborted) throw new ServerError('request_cancelled', 'The request was cancelled')
    if (closing) throw new ServerError('draining', 'The model is being unloaded')
    if (!child.connected) {
      await ended
      throw unreadError()
    }
    if (deadlineMs <= 0) throw deadlineError()

    const id = ++lastId
    const stop = (error: Error) => { if (settle(id, ({ reject }) => reject(error))) send({ kind: 'cancel', id }) }
    const onAbort = () => stop(new ServerError('request_cancelled', 'The request was cancelled'))
    const timer = deadlineMs === Infinity ? undefined : setTimeout(() => stop(deadlineError()), Math.min(deadlineMs, longestTimerMs))
    signal?.addEventListener('abort', onAbort)
    try {
      return await new Promise<Answer<Work>>((resolve, reject) => {
        requests.set(id, { resolve, reject, onPart })
        send({ kind: 'submit', id, work, isFollowed: onPart !== undefined })
      }) as Answer<W>
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Takes no new work, lets requests finish for `graceMs`, then ends the process; resolves when it is gone. */
  function close (graceMs = 0): Promise<void> {
    closing ??= shut(graceMs)
    return closing
  }

  async function shut (graceMs: number) {
    if (requests.size > 0 && graceMs > 0) await within(new Promise<void>(resolve => { onIdle = resolve }), graceMs)
    send({ kind: 'close' })
    await within(ended, exitGraceMs)
    child.kill('SIGKILL')
    await ended
  }

  function receive (message: FromEngine, onReady: (device: string) => void, onFailed: (error: Error) => void) {
    switch (message.kind) {
      case 'ready': return onReady(message.device)
      case 'failed':
        log.error({ model: manifest.name, detail: message.detail }, 'engine cannot open the model') // may be a library's words: for the log only
        return onFailed(new ServerError('model_unavailable', `the engine cannot open ${message.graph ? `its graph ${message.graph}` : 'it'} on the device ${device}`))
      case 'counts':
        counts = message.counts
        return onCounts?.(counts)
      case 'accepted':
        lastAccepted = message.id
        return
      case 'part': return requests.get(message.id)?.onPart?.(message.part)
      case 'done': return settle(message.id, ({ resolve }) => resolve({ result: message.result, timings: message.timings }))
      case 'error': return settle(message.id, ({ reject }) => reject(errorFromCode(message.code, message.detail, message.retryAfterSeconds)))
      case 'cancelled': return settle(message.id, ({ reject }) => reject(new ServerError('request_cancelled', 'The request was cancelled')))
    }
  }

  /** Ends a request if it has not ended yet, and says whether it did. */
  function settle (id: number, how: (request: Request) => void) {
    const request = requests.get(id)
    if (!request) return false
    requests.delete(id)
    how(request)
    if (requests.size === 0) onIdle()
    return true
  }

  function end (reason: string) {
    for (const id of requests.keys()) settle(id, ({ reject }) => reject(endError(id)))
    counts = { waiting: 0, running: 0, slotsInUse: 0, queuedCost: 0, units: [] }
    onCounts?.(counts)
    if (!closing) onExit(reason)
  }

  function endError (id: number) {
    if (closing) return new ServerError('draining', 'The model was unloaded before the work was done')
    return id > lastAccepted ? unreadError() : restartingError()
  }

  function send (message: ToEngine) {
    if (child.connected) child.send(message, () => {}) // a process that is gone is heard of through `close`
  }
}

/** Whether an error ended a request that no engine had read: it can be sent to the next one. */
export function isUnread (error: unknown) {
  return error instanceof Error && unread.has(error)
}

function unreadError () {
  const error = restartingError()
  unread.add(error)
  return error
}

function restartingError () {
  return new ServerError('engine_restarting', 'The engine process ended; it is being started again', { retryAfterSeconds: 1 })
}

function deadlineError () {
  return new ServerError('deadline_exceeded', 'The deadline passed before the work was done')
}

/** Resolves with the promise or after `ms`, whichever is first. */
async function within (promise: Promise<unknown>, ms: number) {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promise, new Promise(resolve => { timer = setTimeout(resolve, ms) })])
  clearTimeout(timer)
}
