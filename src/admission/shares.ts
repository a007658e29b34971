/**
 * A store that clients share: each may hold so much of it as stands in proportion to what is free, so that one alone
 * leaves room for others, and several come to equal parts (dynamic thresholds: Choudhury and Hahne, IEEE/ACM
 * Transactions on Networking 6(2), 1998).
 */
import { ServerError } from '../errors.ts'
import { createDrainRate } from '../pipe/drain-rate.ts'

export type SharesOptions = {
  /** All that there is, in any unit. */
  most: number
  /** The part that a client may hold where no other holds any; 1 is no bound. */
  share: number
  /** What a refusal says where there is too little for anybody, and where only this client has too much. */
  words: { full: string; share: string }
  /** What is counted, in the words of `RateLimit` headers; requests where nothing is said. */
  unit?: 'concurrent-requests' | 'content-bytes'
}

/** What one request holds. */
export type Hold = {
  /** Throws `queue_full`, and holds what it held. After the end nothing is taken any more. */
  take: (amount: number) => void
  /** Gives all of it back. */
  end: () => void
}

export type Shares = ReturnType<typeof createShares>

export function createShares ({ most, share, words, unit = 'concurrent-requests' }: SharesOptions) {
  const held = new Map<string, number>()
  const drain = createDrainRate()
  let total = 0

  return {
    total: () => total,

    /** Clients that hold any. */
    clients: () => held.size,

    hold (client: string): Hold {
      let own = 0
      let isOver = false
      return {
        take (amount) {
          if (isOver) return
          take(client, amount)
          own += amount
        },
        end () {
          if (own > 0) give(client, own)
          own = 0
          isOver = true
        }
      }
    }
  }

  /** A client that holds nothing may have whatever is free. */
  function take (client: string, amount: number): void {
    const before = held.get(client) ?? 0
    const free = most - total - amount
    if (free < 0) throw new ServerError('queue_full', words.full, { retryAfterSeconds: drain.secondsFor(-free) })
    const excess = share < 1 ? before + amount - (free * share) / (1 - share) : 0
    if (before > 0 && excess > 0) throw overShare(excess)
    if (total === 0) drain.begin()
    total += amount
    held.set(client, before + amount)
  }

  function give (client: string, amount: number): void {
    drain.end(amount)
    total -= amount
    const left = (held.get(client) ?? 0) - amount
    if (left > 0) held.set(client, left)
    else held.delete(client)
  }

  /** The headers are those of draft-ietf-httpapi-ratelimit-headers. */
  function overShare (excess: number) {
    const retryAfterSeconds = drain.secondsFor(excess)
    const headers = {
      'ratelimit-policy': `"${unit}";q=${Math.floor(most * share)};qu="${unit}"`,
      ratelimit: `"${unit}";r=0;t=${retryAfterSeconds}`
    }
    return new ServerError('queue_full', words.share, { retryAfterSeconds, headers })
  }
}
