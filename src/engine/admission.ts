/** Whether the engine takes a request now, and when a refused client should come back. */
import { ServerError } from '../errors.ts'
import type { Manifest } from '../package/manifest.ts'
import { checkFits, worstCost } from '../pipe/cost.ts'
import { createDrainRate } from '../pipe/drain-rate.ts'
import type { Work } from '../pipe/work.ts'

export type Limits = { slots: number; queueLimit: number; queueCost: number }

export type Admission = ReturnType<typeof createAdmission>

/** Charges requests on arrival and gives the charge back when they end. */
export function createAdmission (manifest: Manifest, { slots, queueLimit, queueCost }: Limits) {
  let requests = 0
  let cost = 0
  const drain = createDrainRate()
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
          retryAfterSeconds: drain.secondsFor(excess)
        })
      }
      if (requests === 0) drain.begin()
      requests++
      cost += charge
      return charge
    },

    /** Gives a charge back. */
    end (charge: number): void {
      drain.end(charge)
      requests--
      cost -= charge
    }
  }
}
