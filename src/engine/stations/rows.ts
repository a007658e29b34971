/** Which of the requests that wait for rows of the cache may have them now. */
import { reservedRows } from '../../pipe/cost.ts'
import type { KvCache, Slot } from '../kv-cache.ts'

/** Of a request that may pass a wide one. */
export const mostNarrowRows = 2

/**
 * `take` is asked for each request in turn. Nothing overtakes one that waits for rows, but requests of few rows pass
 * wide ones as long as all of them hold no more rows than are reserved. `narrow` holds their rows, and is tidied.
 */
export function createRows (cache: Pick<KvCache, 'capacity' | 'inUse'>, narrow: Set<Slot>) {
  for (const slot of narrow) if (slot.row === -1) narrow.delete(slot)
  let ofNarrow = narrow.size
  let inUse = cache.inUse()
  let isWideWaiting = false
  let isNarrowWaiting = false

  return { take }

  function take (wanted: number): boolean {
    const isNarrow = wanted <= mostNarrowRows
    if (isNarrow ? isNarrowWaiting || !fitsNarrow(wanted) : isWideWaiting || isNarrowWaiting || !fitsWide(wanted)) {
      if (isNarrow) isNarrowWaiting = true
      else isWideWaiting = true
      return false
    }
    inUse += wanted
    if (isNarrow) ofNarrow += wanted
    return true
  }

  function fitsNarrow (wanted: number): boolean {
    const mayHave = isWideWaiting ? reservedRows - ofNarrow : cache.capacity - inUse
    return wanted <= Math.min(mayHave, cache.capacity - inUse)
  }

  /** Wide ones never have the reserved rows. */
  function fitsWide (wanted: number): boolean {
    return inUse - Math.min(ofNarrow, reservedRows) + wanted <= cache.capacity - reservedRows
  }
}
