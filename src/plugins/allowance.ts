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
     * Takes a request, or a part of one, where there is so much. `left` are whole requests, `fullSeconds` the time
     * until all are back, and `waitSeconds` until there is so much.
     */
    take (amount = 1) {
      const time = now()
      left = Math.min(perMinute, left + (time - since) / 1000 / secondsEach)
      since = time
      const isAllowed = left >= amount
      if (isAllowed) left -= amount
      return {
        isAllowed,
        left: Math.floor(left),
        fullSeconds: Math.ceil((perMinute - left) * secondsEach),
        waitSeconds: Math.ceil(Math.max(0, amount - left) * secondsEach)
      }
    }
  }
}
