/**
 * What the language model made of the pictures that prompts begin with, for prompts that begin with them again: bounded
 * in bytes, the least recently used goes first.
 */
import type { SavedRow } from '../graphs/kv-store.ts'

/** Keys and values of a prefix, and the state after its last token, [hidden_size]. */
export type Read = { row: SavedRow; state: Float32Array }

export type Prefixes = ReturnType<typeof createPrefixes>

/** None are kept where `mostBytes` is 0. */
export function createPrefixes (mostBytes: number) {
  const kept = new Map<string, Read>() // in order of use
  let bytes = 0

  return { isOn: mostBytes > 0, find, use, keep, bytes: () => bytes }

  /** One without a name is never kept. */
  function find (name: string | undefined): Read | undefined {
    return name === undefined ? undefined : kept.get(name)
  }

  /** The same, and it is now the one that was used last. */
  function use (name: string | undefined): Read | undefined {
    const read = find(name)
    if (name !== undefined && read !== undefined) {
      kept.delete(name)
      kept.set(name, read)
    }
    return read
  }

  /** One that is larger than all memory for them is not kept. */
  function keep (name: string, read: Read): void {
    const size = bytesOf(read)
    if (size > mostBytes || kept.has(name)) return
    kept.set(name, read)
    bytes += size
    for (const [oldest, other] of kept) {
      if (bytes <= mostBytes) break
      kept.delete(oldest)
      bytes -= bytesOf(other)
    }
  }
}

function bytesOf ({ row, state }: Read): number {
  return row.slabs.reduce((sum, { byteLength }) => sum + byteLength, state.byteLength)
}
