/** One model package: loaded once however many ask, lent to requests, unloaded when told. */
import { basename } from 'node:path'
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { readManifest } from '../package/package.ts'
import { unlessAborted } from '../pipe/abort.ts'
import { stateOf, type Condition } from './condition.ts'
import { impatiently, loadingError, tellReason, unavailable, unloadedError } from './failure.ts'
import { createLoans, lend } from './loans.ts'
import { openModel, type OpenModel, type Room } from './open-model.ts'
import type { Pool } from './pool.ts'
import type { ModelOptions } from './start-pool.ts'

export type Model = ReturnType<typeof createModel>

export function createModel (folder: string, room: Room, options: ModelOptions) {
  const { log } = options
  const { budget, inventory } = room
  const name = basename(folder)
  let condition: Condition = { is: 'unloaded' }
  let manifest: Manifest | undefined // as it was read last
  const loans = createLoans()
  let hasMadeRoom = false
  const refusals = new Map<string, string>() // of devices that cannot run it

  try {
    manifest = readManifest(folder, options.packageKeys)
  } catch (error) {
    fail(error)
  }

  return {
    name,
    get state () {
      return stateOf(condition)
    },
    /** The devices that it may run on, as they were asked for. */
    wanted: inventory.wanted.join(),
    get placement () {
      return loaded()?.placement
    },
    get manifest () {
      return manifest
    },
    /** Why it failed, or why its engine cannot be started again. */
    get detail () {
      return (condition.is === 'failed' ? condition.reason : loaded()?.pool.reason()) ?? null
    },
    get isIdle () {
      return loans.open() === 0 && condition.is === 'loaded'
    },
    get isLent () {
      return loans.open() > 0
    },
    /** Whether it is unloaded because another model needed the room, and not by hand. */
    get isEvicted () {
      return hasMadeRoom && stateOf(condition) === 'unloaded'
    },
    get usedAt () {
      return loans.usedAt()
    },
    use,
    loaded,
    load,
    loadAfresh,
    unload (graceMs: number) {
      hasMadeRoom = false
      return unload(graceMs)
    },
    evict () {
      hasMadeRoom = true
      return unload(0)
    }
  }

  /**
   * Counts a request in, until `release` is called; awaits the model for it within the signal. Rejects as `ready`, or
   * with the signal's reason.
   */
  async function use (signal: AbortSignal | undefined, client: string, onDone: () => void) {
    const end = loans.begin(onDone)
    try {
      return lend(await ready(signal), client, end)
    } catch (error) {
      end()
      throw error
    }
  }

  /**
   * Loads the model unless it is loaded; single-flight; what failed is tried again. Rejects with `model_unavailable`,
   * or `draining` when it is unloaded meanwhile.
   */
  async function load (): Promise<OpenModel> {
    switch (condition.is) {
      case 'loaded':
        return condition.loaded
      case 'loading':
        return condition.loading
      case 'unloading':
        await condition.unloading
        return load()
      default: {
        loans.touch()
        const stop = new AbortController()
        const loading = Promise.resolve(stop.signal).then(open) // what fails at once must not fail before it is noted
        condition = { is: 'loading', loading, stop }
        return loading
      }
    }
  }

  /** As `load`, until an engine runs; refused devices and engines that cannot be started are tried anew. */
  async function loadAfresh (): Promise<void> {
    refusals.clear()
    const pool = loaded()?.pool
    if (pool?.reason()) await end(pool.close(0), pool)
    await (await load()).pool.ready(undefined)
  }

  /**
   * As `load`, for a request: what failed for good is not tried again, and it does not wait long. Rejects with
   * `model_unavailable`, `model_loading` or `engine_restarting`.
   */
  async function ready (signal: AbortSignal | undefined): Promise<OpenModel> {
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

  /** Opens it anew, on what is left of the devices; requests that wait are told to come back. */
  function moveOn (): void {
    const pool = loaded()?.pool
    if (pool === undefined) return
    end(pool.close(0), pool).then(load).catch(() => {}) // noted as its condition
  }

  function end (ended: Promise<unknown>, pool?: Pool): Promise<void> {
    const unloading = ended.then(() => {
      budget.free(name)
      condition = { is: 'unloaded' }
    })
    condition = { is: 'unloading', unloading, ...(pool && { pool }) }
    return unloading
  }

  async function open (signal: AbortSignal): Promise<OpenModel> {
    try {
      manifest = readManifest(folder, options.packageKeys)
      const loaded = await openModel({ name, folder, manifest, refusals, onLost: moveOn }, room, options, signal)
      if (signal.aborted) await loaded.pool.close(0)
      signal.throwIfAborted()
      condition = { is: 'loaded', loaded }
      return loaded
    } catch (error) {
      if (signal.aborted) throw error
      throw fail(error)
    }
  }

  /** Notes why the model cannot be used, and gives the error for those who wait for it. */
  function fail (error: unknown): ServerError {
    budget.free(name)
    if (error instanceof ServerError && error.retryAfterSeconds !== undefined) {
      condition = { is: 'unloaded' } // nothing is wrong with the model
      return error
    }
    const reason = tellReason(error)
    condition = { is: 'failed', reason }
    log.error({ model: name, err: error }, 'model failed')
    return unavailable(name, reason)
  }

  function loaded (): OpenModel | undefined {
    return condition.is === 'loaded' ? condition.loaded : undefined
  }
}
