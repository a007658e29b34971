/** Whether the engine takes a request now, and when a refused client should come back. */
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { checkFits, worstCost } from '../pipe/cost.ts'
import type { Work } from '../pipe/work.ts'

export type Limits = { slots: number; queueLimit: number; queueCost: number }

export type Admission = ReturnType<typeof createAdmission>

/** Charges requests on arrival and gives the charge back when they end. */
export function createAdmission (manifest: Manifest, { slots, queueLimit, queueCost }: Limits) {
  let requests = 0
  let cost = 0
  const drained = { cost: 0, seconds: 0 } // fades, so that the rate follows the load
  let lastEnd: number | undefined
  return {
    cost: () => cost,

    /**
     * The charge of a request. Throws `too_large` for one that can never run, `queue_full` for one that cannot be taken
     * now.
     */
    admit (work: Work): number {
      checkFits(work, manifest, { slots, queueCost })
      const charge = worstCost(work, manifest)
      if (requests >= queueLimit || cost + charge > queueCost) {
        const excess = Math.max(cost + charge - queueCost, cost / Math.max(requests, 1))
        throw new ServerError('queue_full', 'The model has as much work as it may have', {
          retryAfterSeconds: secondsFor(excess)
        })
      }
      if (requests === 0) lastEnd = performance.now()
      requests++
      cost += charge
      return charge
    },

    /** Gives a charge back. */
    end (charge: number): void {
      const now = performance.now()
      drained.cost = drained.cost * 0.9 + charge
      drained.seconds = drained.seconds * 0.9 + (now - lastEnd!) / 1000
      lastEnd = now
      requests--
      cost -= charge
    }
  }

  function secondsFor (excess: number): number {
    if (drained.cost === 0) return 1
    return Math.min(600, Math.max(1, Math.ceil((excess * drained.seconds) / drained.cost)))
  }
}
