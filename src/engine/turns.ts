/**
 * Whose turn it is, among clients: start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996). Each request gets a
 * virtual time at which it should start; those of a client follow each other by their cost, so that much work of one
 * does not stand before the first of another.
 */
export function createTurns () {
  const free = new Map<string, number>() // when the client's work so far would be done
  let now = 0 // the turn of what has begun last

  return {
    /** The turn of a client's next request. */
    take (client: string, cost: number): number {
      const turn = Math.max(now, free.get(client) ?? 0)
      free.set(client, turn + cost)
      return turn
    },

    /** Takes a request off a client's account that ended before it began. */
    giveBack (client: string, cost: number): void {
      const until = free.get(client)
      if (until !== undefined) free.set(client, Math.max(now, until - cost))
    },

    /** Hears of requests as they begin; clients whose work lies behind are forgotten. */
    begin (turn: number): void {
      if (turn <= now) return
      now = turn
      for (const [client, until] of free) if (until <= now) free.delete(client)
    }
  }
}
