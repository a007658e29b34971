/** One model package: loaded once however many ask, lent to requests, unloaded when told. */
import { basename } from 'node:path'
import { createTextCodec, type TextCodec } from '../codecs/text.ts'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { readManifest, readTokenizer, verifyFiles } from '../package/package.ts'
import { unlessAborted } from '../pipe/abort.ts'
import { createEngineClient, type EngineOptions } from '../pipe/engine-client.ts'
import type { EngineCounts } from '../pipe/messages.ts'
import { residentBytes, type Budget } from './budget.ts'
import { impatiently, loadingError, tellReason, unavailable, unloadedError } from './failure.ts'
import { createPool, type Pool } from './pool.ts'

export type ModelState = 'unloaded' | 'loading' | 'ready' | 'restarting' | 'failed'
export type Model = ReturnType<typeof createModel>

export type ModelOptions = Omit<EngineOptions, 'folder' | 'manifest' | 'onCounts'> & {
  /** Processes that run the model side by side. */
  engines: number
  onCounts?: ((model: string, counts: EngineCounts) => void) | undefined
}

type Loaded = { manifest: Manifest; text: TextCodec; pool: Pool }

type Condition =
  | { is: 'unloaded' }
  | { is: 'loading'; loading: Promise<Loaded>; stop: AbortController }
  | { is: 'loaded'; loaded: Loaded }
  | { is: 'unloading'; pool?: Pool; unloading: Promise<void> }
  | { is: 'failed'; reason: string }

export function createModel (folder: string, budget: Budget, { engines, onCounts, ...engineOptions }: ModelOptions) {
  const { log } = engineOptions
  const name = basename(folder)
  let condition: Condition = { is: 'unloaded' }
  let manifest: Manifest | undefined // as it was read last
  let users = 0
  let usedAt = 0

  try {
    manifest = readManifest(folder)
  } catch (error) {
    fail(error)
  }

  return {
    name,
    get state () {
      return stateOf(condition)
    },
    get device () {
      return loaded()?.pool.device() ?? engineOptions.device
    },
    get manifest () {
      return manifest
    },
    /** Why it failed, or why its engine cannot be started again. */
    get detail () {
      return (condition.is === 'failed' ? condition.reason : loaded()?.pool.reason()) ?? null
    },
    get isIdle () {
      return users === 0 && condition.is === 'loaded'
    },
    get isLent () {
      return users > 0
    },
    get usedAt () {
      return usedAt
    },
    use,
    load,
    unload
  }

  /**
   * Counts a request in, until `done` is called; awaits the model for it within the signal. Rejects as `ready`, or with
   * the signal's reason.
   */
  async function use (signal: AbortSignal | undefined, onDone: () => void) {
    users++
    usedAt = performance.now()
    const done = once(() => {
      users--
      onDone()
    })
    try {
      const { manifest, text, pool } = await ready(signal)
      return { manifest, text, submit: pool.submit, release: done }
    } catch (error) {
      done()
      throw error
    }
  }

  /**
   * Loads the model unless it is loaded; single-flight; what failed is tried again. Rejects with `model_unavailable`,
   * or `draining` when it is unloaded meanwhile.
   */
  async function load (): Promise<Loaded> {
    switch (condition.is) {
      case 'loaded':
        return condition.loaded
      case 'loading':
        return condition.loading
      case 'unloading':
        await condition.unloading
        return load()
      default: {
        usedAt = performance.now()
        const stop = new AbortController()
        const loading = open(stop.signal)
        condition = { is: 'loading', loading, stop }
        return loading
      }
    }
  }

  /**
   * As `load`, for a request: what failed for good is not tried again, and it does not wait long. Rejects with
   * `model_unavailable`, `model_loading` or `engine_restarting`.
   */
  async function ready (signal: AbortSignal | undefined): Promise<Loaded> {
    if (condition.is === 'failed') throw unavailable(name, condition.reason)
    const loaded = await unlessAborted(
      impatiently(load(), () => loadingError(5000)),
      signal
    )
    await loaded.pool.ready(signal)
    return loaded
  }

  /**
   * Ends the engines, after requests had `graceMs` to finish. The model can be loaded again. A later call can only
   * shorten the time.
   */
  async function unload (graceMs: number): Promise<void> {
    switch (condition.is) {
      case 'unloading':
        await condition.pool?.close(graceMs)
        return condition.unloading
      case 'loading': {
        const { loading, stop } = condition
        stop.abort(unloadedError())
        return end(loading.catch(() => {}))
      }
      case 'loaded':
        return end(condition.loaded.pool.close(graceMs), condition.loaded.pool)
    }
  }

  function end (ended: Promise<unknown>, pool?: Pool): Promise<void> {
    const unloading = ended.then(() => {
      budget.free(name)
      condition = { is: 'unloaded' }
    })
    condition = { is: 'unloading', unloading, ...(pool && { pool }) }
    return unloading
  }

  async function open (signal: AbortSignal): Promise<Loaded> {
    let pool: Pool | undefined
    try {
      const opened = (manifest = readManifest(folder))
      await verifyFiles(folder, opened, signal)
      const text = createTextCodec(await readTokenizer(folder, opened))
      await budget.reserve(name, residentBytes(opened, { engines, slots: engineOptions.slots }))
      signal.throwIfAborted()
      pool = startPool(opened)
      await pool.opened(signal)
      signal.throwIfAborted()
      const loaded = { manifest: opened, text, pool }
      condition = { is: 'loaded', loaded }
      return loaded
    } catch (error) {
      const reason = pool?.reason()
      await pool?.close(0)
      if (signal.aborted) throw signal.reason // whoever aborted sees to the rest
      throw fail(error, reason)
    }
  }

  /** Files are checked before every start of an engine; those that start together share the check. */
  function startPool (opened: Manifest): Pool {
    const share = (check: Promise<void>) =>
      check.finally(() => {
        checking = undefined
      })
    let checking: Promise<void> | undefined = share(Promise.resolve()) // the load has just done it
    return createPool({
      model: name,
      engines,
      log,
      onCounts: counts => onCounts?.(name, counts),
      async start (signal, onCounts) {
        checking ??= share(verifyFiles(folder, opened, signal))
        await checking
        return createEngineClient({ ...engineOptions, folder, manifest: opened, onCounts })
      }
    })
  }

  /** Notes why the model cannot be used, and gives the error for those who wait for it. */
  function fail (error: unknown, reason = tellReason(error)): ServerError {
    budget.free(name)
    if (error instanceof ServerError && error.retryAfterSeconds !== undefined) {
      condition = { is: 'unloaded' } // nothing is wrong with the model
      return error
    }
    condition = { is: 'failed', reason }
    log.error({ model: name, err: error }, 'model failed')
    return unavailable(name, reason)
  }

  function loaded (): Loaded | undefined {
    return condition.is === 'loaded' ? condition.loaded : undefined
  }
}

function stateOf (condition: Condition): ModelState {
  switch (condition.is) {
    case 'loaded':
      return condition.loaded.pool.isReady() ? 'ready' : 'restarting'
    case 'unloading':
      return 'unloaded'
    default:
      return condition.is
  }
}

function once (run: () => void) {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    run()
  }
}
