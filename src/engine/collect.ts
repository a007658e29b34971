/** Memory that lies unused goes back in time, so that an engine that grows has a leak. */

const often = 500 // jobs

/**
 * Counts a job that has ended, and has garbage collected now and then. V8 by itself lets an engine's small heap double
 * first, which takes tens of thousands of jobs, in which the process grows. Costs about 10 ms each time.
 */
export function createCollector (collect: () => void, every = often): () => void {
  let ended = 0
  return () => {
    if (++ended % every === 0) setImmediate(collect) // what has ended is told first
  }
}
