/**
 * Tells an engine that hangs from one that works: it is asked for a sign of life, and answers between its units of
 * work.
 */

const tickMs = 500
const leastMs = 2500
const unitsOfPatience = 15 // a unit may take so many times as long as the longest one of late
const keptOfLongest = 0.999 // what each unit leaves of the longest before it: one slow moment is forgotten
const firstUnitMs = 4000 // stands for the longest one while none has been seen
const leastOpeningMs = 60_000
const slowestBytesPerMs = 20_000 // of a graph that is opened

export type Heartbeat = ReturnType<typeof createHeartbeat>

/**
 * Calls `onHung` once, when nothing was heard for `timeoutMs`. 0 stands for 2.5 s, or, while the engine `isBusy`, for
 * 15 times its longest unit of late where that is more. Until `opened` is called, the time goes by the largest graph.
 * Ticks are counted rather than time, so that a server that was stopped itself does not blame the engine.
 */
export function createHeartbeat ({
  timeoutMs,
  largestGraphBytes,
  isBusy,
  ping,
  onHung
}: {
  timeoutMs: number
  largestGraphBytes: number
  isBusy: () => boolean
  ping: () => void
  onHung: (silentMs: number) => void
}) {
  let isOpen = false
  let silentTicks = 0
  let longestUnitMs: number | undefined
  const timer = setInterval(tick, tickMs)
  timer.unref()

  return {
    /** Any message will do. */
    heard (): void {
      silentTicks = 0
    },

    /** The engine has opened its model. */
    opened (): void {
      isOpen = true
    },

    /** A unit of work took so long. */
    sawUnit (ms: number): void {
      longestUnitMs = Math.max((longestUnitMs ?? 0) * keptOfLongest, ms)
    },

    stop (): void {
      clearInterval(timer)
    }
  }

  function tick (): void {
    const silentMs = silentTicks * tickMs
    if (silentMs >= allowedMs()) {
      clearInterval(timer)
      return onHung(silentMs)
    }
    silentTicks++
    ping()
  }

  function allowedMs (): number {
    if (!isOpen) return leastOpeningMs + largestGraphBytes / slowestBytesPerMs
    if (timeoutMs > 0) return timeoutMs
    return isBusy() ? Math.max(leastMs, unitsOfPatience * (longestUnitMs ?? firstUnitMs)) : leastMs
  }
}
