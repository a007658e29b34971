/** How many engines a model has, and how many threads each of them. */
import { availableParallelism, totalmem } from 'node:os'

/** `memory` in bytes: that of the machine, or what a container may have of it. */
export type Machine = { cores: number; memory: number }

export type Share = { engines: number; threads: number }

const memoryShare = 0.5 // of the machine's: what engines take that were not asked for by number

export function thisMachine (): Machine {
  return { cores: availableParallelism(), memory: Math.min(totalmem(), process.constrainedMemory() || Infinity) }
}

/**
 * 0 engines are as many as cores, memory and `budgetBytes` have room for where `engineBytes` is what each of them
 * takes; on another device than the processor one. 0 threads are an even share of the cores.
 */
export function shareCores (
  { engines, threads, device }: Share & { device: string },
  { cores, memory }: Machine,
  engineBytes: number,
  budgetBytes = Infinity
): Share {
  const share = (among: number) => Math.max(1, Math.floor(cores / among))
  const fitting = Math.max(1, Math.floor(Math.min(memoryShare * memory, budgetBytes) / engineBytes))
  const count = engines || (device === 'cpu' ? Math.min(share(threads || 1), fitting) : 1)
  return { engines: count, threads: threads || share(count) }
}
