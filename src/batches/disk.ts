/** How much of the disk there is for files and batches, and which part of it is whose. */
import { ServerError } from '../errors.ts'

export type Disk = ReturnType<typeof createDisk>

const leastBytes = 65_536 // that a file counts: many small ones fill a disk, and a memory, too

/** As in `admission/shares.ts`, an owner may hold so much as stands in proportion to what is free. */
export function createDisk ({ most, share }: { most: number; share: number }) {
  const held = new Map<string, number>()
  let total = 0

  return { total: () => total, hold }

  /** What one thing takes of it, from the least on. `take` throws `storage_full`; `restore` asks nobody. */
  function hold (owner: string) {
    let bytes = 0
    let counted = 0
    const count = (more: number) => {
      bytes += more
      const next = bytes === 0 ? 0 : Math.max(bytes, leastBytes)
      total += next - counted
      held.set(owner, (held.get(owner) ?? 0) + next - counted)
      if (held.get(owner) === 0) held.delete(owner)
      counted = next
    }
    return {
      take (more: number) {
        const grows = Math.max(bytes + more, leastBytes) - counted
        const free = most - total - grows
        if (free < 0) throw new ServerError('storage_full', `The server keeps ${most} bytes of files, and has them`)
        const before = held.get(owner) ?? 0
        if (share < 1 && before > counted && before + grows > (free * share) / (1 - share)) {
          throw new ServerError('storage_full', 'This client has as many bytes of files as one may have beside others')
        }
        count(more)
      },
      restore: count,
      end: () => count(-bytes)
    }
  }
}

export type DiskHold = ReturnType<Disk['hold']>
