/** How much work a model has, over all its engines, and which part of it is whose. */
import { createShares, type Hold } from './shares.ts'

export type LoadLimits = { engines: number; queueLimit: number; queueCost: number; clientShare: number }

export type Load = ReturnType<typeof createLoad>

export function createLoad ({ engines, queueLimit, queueCost, clientShare: share }: LoadLimits) {
  const words = {
    full: 'The model has as much work as it may have',
    share: 'This client has as much work in flight as one may have beside others'
  }
  const requests = createShares({ most: engines * queueLimit, share, words })
  const costs = createShares({ most: engines * queueCost, share, words })

  return {
    requests: requests.total,
    cost: costs.total,

    /** What one request takes: a place in the queue, and its cost. `take` throws `queue_full`. */
    hold (client: string): Hold {
      const [place, cost] = [requests.hold(client), costs.hold(client)]
      const end = () => {
        place.end()
        cost.end()
      }
      return {
        take (amount) {
          place.take(1)
          cost.take(amount)
        },
        end
      }
    }
  }
}
