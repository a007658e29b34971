/** How fast work ends, for the time after which a refused client should come back. */

export type DrainRate = ReturnType<typeof createDrainRate>

/** A rate that fades, so that it follows the load. Time without work does not count. */
export function createDrainRate () {
  const drained = { cost: 0, seconds: 0 }
  let since = 0

  return {
    /** Notes that there is work again. */
    begin (): void {
      since = performance.now()
    },

    /** Notes that work of this cost has ended. */
    end (cost: number): void {
      const now = performance.now()
      drained.cost = drained.cost * 0.9 + cost
      drained.seconds = drained.seconds * 0.9 + (now - since) / 1000
      since = now
    },

    /** Whole seconds in which so much ends: 1 to 600. */
    secondsFor (cost: number): number {
      const seconds = drained.cost === 0 ? 1 : cost * drained.seconds / drained.cost
      return Math.min(600, Math.max(1, Math.ceil(seconds)))
    }
  }
}
