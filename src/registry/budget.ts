/** An account of memory for each device: what each model is taken to need, and who goes when another needs room. */
import { ServerError } from '../errors.ts'
import type { Log } from '../pipe/engine-client.ts'
import { drainingError } from './failure.ts'

/** A model as the account sees it. Idle is one that is loaded and lent to nobody. */
export type Tenant = { name: string; isIdle: boolean; usedAt: number; evict: () => Promise<void> }

/** Bytes by the id of the device; `cpu` is the host. */
export type Bytes = Record<string, number>

export type Budget = ReturnType<typeof createBudget>

/** `limitOf` a device is Infinity where nothing bounds it. */
export function createBudget ({
  limitOf,
  tenants,
  log
}: {
  limitOf: (device: string) => number
  tenants: () => Iterable<Tenant>
  log: Log
}) {
  const reserved = new Map<string, Bytes>()
  let isClosed = false

  return {
    limitOf,
    freeOf: (device: string) => limitOf(device) - usedOf(device),
    usedOf,
    reserve,
    evict,

    /** Names of the models on a device's account. */
    holders: (device: string) => [...reserved].filter(([, bytes]) => (bytes[device] ?? 0) > 0).map(([name]) => name),

    free (name: string): void {
      reserved.delete(name)
    },

    /** From here on nothing is reserved. */
    close (): void {
      isClosed = true
    }
  }

  /**
   * Puts a model on the accounts, ending the least recently used idle ones to make room. Rejects with
   * `model_unavailable`, with a time to come back where it may fit later.
   */
  async function reserve (name: string, bytes: Bytes): Promise<void> {
    reserved.delete(name) // what it had elsewhere
    for (const [device, need] of Object.entries(bytes)) {
      if (need > limitOf(device)) {
        throw new ServerError('model_unavailable', `the memory budget ${of(device)}is too small for it`)
      }
    }
    for (;;) {
      const short = Object.entries(bytes).find(([device, need]) => usedOf(device) + need > limitOf(device))?.[0]
      if (short === undefined) break
      if (await evict(short, name)) continue
      throw new ServerError('model_unavailable', `The memory budget ${of(short)}is taken by models in use`, {
        retryAfterSeconds: 5
      })
    }
    if (isClosed) throw drainingError()
    reserved.set(name, bytes)
  }

  /** Ends the least recently used idle model on a device, to make room there for another; false where there is none. */
  async function evict (device: string, name: string): Promise<boolean> {
    const [victim] = [...tenants()]
      .filter(tenant => tenant.name !== name && tenant.isIdle && (reserved.get(tenant.name)?.[device] ?? 0) > 0)
      .sort((a, b) => a.usedAt - b.usedAt)
    if (!victim) return false
    log.info({ model: victim.name, for: name, device }, 'model evicted')
    await victim.evict()
    return true
  }

  function usedOf (device: string): number {
    let total = 0
    for (const bytes of reserved.values()) total += bytes[device] ?? 0
    return total
  }
}

function of (device: string) {
  return device === 'cpu' ? '' : `of ${device} `
}
