/** How often a shard of a queue came back from workers that lived: those deliveries were no deaths. */
import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Folder } from './folder.ts'

/** Of the workers that were given the shard so many times, those that did not live to say how it ended. */
export function deathsOf ({ leases }: Folder, shard: string, deliveries: number): number {
  const returned = statSync(pathOf(leases, shard), { throwIfNoEntry: false })?.size ?? 0
  return Math.max(0, deliveries - 1 - returned)
}

/** A byte for each; where it cannot be written, it counts as a death. */
export function countReturn ({ leases }: Folder, shard: string) {
  try {
    appendFileSync(pathOf(leases, shard), '.')
  } catch {
    // the shard goes back all the same
  }
}

function pathOf (leases: string, shard: string) {
  return join(leases, `${shard}.back`)
}
