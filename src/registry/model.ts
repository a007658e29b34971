/** One model package and the engine process that runs it: loaded once however many ask, started again when it dies. */
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createTextCodec, type TextCodec } from '../codecs/text.ts'
import type { EngineCounts } from '../pipe/messages.ts'
import type { Work } from '../pipe/work.ts'
import { ServerError } from '../errors.ts'
import { createEngineClient, isUnread, type Answer, type EngineClient, type EngineOptions, type SubmitOptions } from '../pipe/engine-client.ts'
import type { Manifest } from '../package/manifest.ts'
import { PackageError, readManifest, readTokenizer, verifyFiles } from '../package/package.ts'

export type ModelState = 'unloaded' | 'loading' | 'ready' | 'restarting' | 'failed'
export type Model = ReturnType<typeof createModel>

export type ModelOptions = Omit<EngineOptions, 'folder' | 'manifest' | 'onExit' | 'onCounts'> & {
  onCounts?: ((name: string, counts: EngineCounts) => void) | undefined
  /** Makes room for the model in memory; rejects where there is none, with a time to retry if that may change. */
  reserve: (name: string, manifest: Manifest) => Promise<void>
  free: (name: string) => void
}

const patienceMs = 30_000 // how long a request waits for a load or a restart
const longestSilentPauseMs = 2000 // a restart further away than this is told at once
const healthyMs = 60_000

export function createModel (folder: string, { reserve, free, onCounts, ...engineOptions }: ModelOptions) {
  const { log } = engineOptions
  const name = basename(folder)
  let state: ModelState = 'unloaded'
  let detail: string | null = null
  let device = engineOptions.device
  let manifest: Manifest | undefined
  let text: TextCodec | undefined
  let verified: string | undefined // the manifest whose files were found right
  let engine: EngineClient | undefined
  let opening: Promise<EngineClient> | undefined
  let stopping: Promise<void> | undefined
  let stop = new AbortController()
  let failures = 0
  let readyAt = 0
  let nextStartAt = 0

  try {
    manifest = readManifest(folder)
  } catch (error) {
    fail(error)
  }

  return {
    name,
    /** Requests that hold the model now, and when the last one came: what eviction goes by. */
    users: 0,
    usedAt: 0,
    get state () { return state },
    get detail () { return detail },
    get device () { return device },
    get pid () { return engine?.pid },
    get manifest () { return manifest },
    get text () { return text },
    load,
    ready,
    submit,
    unload
  }

  /** Loads the model unless it is loaded; single-flight. Rejects with `model_unavailable`. */
  function load (): Promise<EngineClient> {
    if (stopping) return stopping.then(load)
    if (state === 'ready') return Promise.resolve(engine!)
    return opening ?? begin(loadPackage)
  }

  /** As `load`, for a request: does not wait long, and rejects with `model_loading`, `engine_restarting` or `deadline_exceeded` instead. */
  async function ready (deadlineMs = Infinity): Promise<EngineClient> {
    const pauseMs = nextStartAt - Date.now()
    if (state !== 'ready' && pauseMs > longestSilentPauseMs) throw waitError(state, pauseMs)
    const patience = new AbortController()
    const impatience = pause(Math.min(deadlineMs, patienceMs), undefined, { signal: patience.signal }).then(() => {
      throw deadlineMs < patienceMs ? new ServerError('deadline_exceeded', 'The deadline passed while the model was being loaded') : waitError(state, 5000)
    })
    impatience.catch(() => {})
    return Promise.race([load(), impatience]).finally(() => patience.abort())
  }

  /** Runs one request on the engine, after a restart if one is under way. A request that a dying engine had not read goes to the next one. */
  async function submit<W extends Work> (work: W, { signal, deadlineMs = Infinity }: SubmitOptions = {}): Promise<Answer<W>> {
    const from = performance.now()
    const open = await ready(deadlineMs)
    const remaining = () => deadlineMs - (performance.now() - from)
    try {
      return await open.submit(work, { signal, deadlineMs: remaining() })
    } catch (error) {
      if (!isUnread(error)) throw error
      return submit(work, { signal, deadlineMs: remaining() })
    }
  }

  /** Ends the engine process, after requests had `graceMs` to finish. The model can be loaded again. */
  function unload (graceMs: number): Promise<void> {
    stopping ??= end(graceMs).finally(() => { stopping = undefined })
    return stopping
  }

  async function end (graceMs: number) {
    const underWay = opening
    stop.abort()
    if (state !== 'failed') state = 'unloaded'
    await engine?.close(graceMs)
    await underWay?.catch(() => {})
    engine = undefined
    stop = new AbortController()
    free(name)
  }

  function begin (how: () => Promise<EngineClient>) {
    opening = how().catch(error => { throw fail(error) }).finally(() => { opening = undefined })
    opening.catch(() => {}) // a restart may have nobody who waits for it
    return opening
  }

  async function loadPackage () {
    state = 'loading'
    manifest = readManifest(folder)
    const seen = JSON.stringify(manifest)
    if (verified !== seen) await verifyFiles(folder, manifest)
    verified = seen
    text = createTextCodec(await readTokenizer(folder, manifest))
    await reserve(name, manifest)
    return openEngine().catch(error => {
      throw hasEnded(error) ? new ServerError('model_unavailable', 'the engine process ended while it opened the model') : error
    })
  }

  /** At once after the first crash, then with growing pauses. Ends when the engine runs, says that it cannot, or is not wanted. */
  async function restart (): Promise<EngineClient> {
    nextStartAt = Date.now() + restartPauseMs(failures++)
    await pause(nextStartAt - Date.now(), undefined, { signal: stop.signal })
    return openEngine().catch(error => {
      if (hasEnded(error) && !stop.signal.aborted) return restart()
      throw error
    })
  }

  async function openEngine () {
    stop.signal.throwIfAborted()
    const opened = createEngineClient({ ...engineOptions, folder, manifest: manifest!, onExit: recover, onCounts: counts => onCounts?.(name, counts) })
    engine = opened
    device = await opened.ready.catch(async error => {
      await opened.close()
      throw error
    })
    stop.signal.throwIfAborted()
    state = 'ready'
    detail = null
    readyAt = Date.now()
    log.info({ model: name, enginePid: opened.pid, device }, 'model ready')
    return opened
  }

  function recover (reason: string) {
    log.error({ model: name, reason }, 'engine process ended')
    if (state !== 'ready') return // the start under way hears of it itself
    state = 'restarting'
    if (Date.now() - readyAt >= healthyMs) failures = 0
    begin(restart)
  }

  /** Notes why the model cannot be used, and gives the error for those who wait for it. */
  function fail (error: unknown) {
    free(name)
    if (stop.signal.aborted) {
      state = 'unloaded'
      return new ServerError('draining', 'The model is being unloaded')
    }
    if (error instanceof ServerError && error.retryAfterSeconds !== undefined) {
      state = 'unloaded' // no room now: nothing is wrong with the model
      return error
    }
    state = 'failed'
    detail = tell(error)
    nextStartAt = Date.now() + restartPauseMs(failures++)
    log.error({ model: name, err: error }, 'model failed')
    return new ServerError('model_unavailable', `The model ${name} could not be loaded: ${detail}`)
  }
}

/** The pause before a restart that follows `failures` others: none, then half a second, doubling to 30 s. */
export function restartPauseMs (failures: number) {
  return failures === 0 ? 0 : Math.min(500 * 2 ** (failures - 1), 30_000)
}

/** For a request that will not wait for a model in this state: when to come back. */
export function waitError (state: ModelState, waitMs: number) {
  const retryAfterSeconds = Math.ceil(waitMs / 1000)
  if (state === 'restarting') return new ServerError('engine_restarting', 'The engine process ended; it is being started again', { retryAfterSeconds })
  if (state === 'failed') return new ServerError('model_unavailable', 'The model could not be loaded; it is not tried again yet', { retryAfterSeconds })
  return new ServerError('model_loading', 'The model is being loaded', { retryAfterSeconds })
}

/** Own words only: a library's may hold paths, and stay in the log. */
function tell (error: unknown) {
  return error instanceof PackageError || error instanceof ServerError ? error.message : 'its files cannot be read'
}

function hasEnded (error: unknown) {
  return error instanceof ServerError && error.code === 'engine_restarting'
}
