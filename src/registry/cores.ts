/** How many engines a model has, and how many threads each of them. */

/**
 * 0 engines are as many as the cores have room for, 0 threads an even share of the cores; where both are 0, an engine
 * has one thread.
 */
export function shareCores (
  { engines, threads }: { engines: number; threads: number },
  cores: number
): { engines: number; threads: number } {
  const share = (among: number) => Math.max(1, Math.floor(cores / among))
  if (engines === 0) return { engines: share(threads || 1), threads: threads || 1 }
  return { engines, threads: threads || share(engines) }
}
