/** The memory account of all loaded models: what each is taken to need, and who goes when another needs room. */
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { filesOf } from '../package/package.ts'
import { reservedRows } from '../pipe/cost.ts'
import type { Log } from '../pipe/engine-client.ts'
import { drainingError } from './failure.ts'

/** A model as the account sees it. Idle is one that is loaded and lent to nobody. */
export type Tenant = { name: string; isIdle: boolean; usedAt: number; unload: (graceMs: number) => Promise<void> }

export type Budget = ReturnType<typeof createBudget>

const processBytes = 128 * 2 ** 20 // activations, and the process itself

/** `megabytes` of 0 are no limit. */
export function createBudget ({
  megabytes,
  tenants,
  log
}: {
  megabytes: number
  tenants: () => Iterable<Tenant>
  log: Log
}) {
  const limit = megabytes === 0 ? Infinity : megabytes * 2 ** 20
  const reserved = new Map<string, number>()
  let isClosed = false

  return {
    /**
     * Puts a model on the account, ending the least recently used idle ones to make room. Rejects with
     * `model_unavailable`, with a time to come back where it may fit later.
     */
    async reserve (name: string, bytes: number): Promise<void> {
      if (bytes > limit) throw new ServerError('model_unavailable', 'the memory budget is too small for it')
      while (sum(reserved.values()) + bytes > limit) {
        const [victim] = [...tenants()]
          .filter(tenant => tenant.name !== name && tenant.isIdle && reserved.has(tenant.name))
          .sort((a, b) => a.usedAt - b.usedAt)
        if (!victim) {
          throw new ServerError('model_unavailable', 'The memory budget is taken by models in use', {
            retryAfterSeconds: 5
          })
        }
        log.info({ model: victim.name, for: name }, 'model evicted')
        await victim.unload(0)
      }
      if (isClosed) throw drainingError()
      reserved.set(name, bytes)
    },

    free (name: string): void {
      reserved.delete(name)
    },

    /** From here on nothing is reserved. */
    close (): void {
      isClosed = true
    }
  }
}

/**
 * What a loaded model is taken to need in its engines: files hold half precision and memory single, so twice their
 * size; and all places of the KV cache.
 */
export function residentBytes (manifest: Manifest, { slots, engines }: { slots: number; engines: number }) {
  return (
    engines *
    (2 * sum(filesOf(manifest).map(({ bytes }) => bytes)) + cacheBytes(manifest.language_model, slots) + processBytes)
  )
}

/** Single-precision keys and values of every slot, and of the spare one. */
function cacheBytes (
  { layers, kv_heads: kvHeads, head_dim: headDim, max_length: maxLength }: Manifest['language_model'],
  slots: number
) {
  return (slots + reservedRows + 1) * layers * 2 * kvHeads * headDim * maxLength * 4
}

function sum (values: Iterable<number>) {
  let total = 0
  for (const value of values) total += value
  return total
}
