/** Requests that may come within a minute, given back evenly: a token bucket. */

export type Allowance = ReturnType<typeof createAllowance>

export const windowSeconds = 60

/** `now` is in milliseconds and never goes back. */
export function createAllowance (perMinute: number, now: () => number = () => performance.now()) {
  const secondsEach = windowSeconds / perMinute
  let left = perMinute
  let since = now()

  return {
    perMinute,

    /**
     * Takes one where there is one. `left` are whole requests, `fullSeconds` the time until all are back, and
     * `waitSeconds` until the next one is.
     */
    take () {
      const time = now()
      left = Math.min(perMinute, left + (time - since) / 1000 / secondsEach)
      since = time
      const isAllowed = left >= 1
      if (isAllowed) left--
      return {
        isAllowed,
        left: Math.floor(left),
        fullSeconds: Math.ceil((perMinute - left) * secondsEach),
        waitSeconds: Math.ceil(Math.max(0, 1 - left) * secondsEach)
      }
    }
  }
}
