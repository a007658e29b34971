/**
 * Encodings of pictures that were seen, for those that come again: bounded in bytes, the least recently used goes
 * first. They outlive the engine that made them, and are found by the key alone that sent the picture.
 */
import { createHash } from 'node:crypto'
import type { Manifest } from '../package/manifest.ts'
import type { Encoding } from '../pipe/work.ts'

export type Encodings = ReturnType<typeof createEncodings>

/** For whom and of which model an encoding is; the owner is the name of a key, or empty. */
type Home = { owner: string; manifest: Manifest }
type Kept = { home: string; encoding: Encoding; bytes: number }

/** None are kept where `mostBytes` is 0. */
export function createEncodings ({ mostBytes }: { mostBytes: number }) {
  const kept = new Map<string, Kept>() // in order of use
  let bytes = 0

  return {
    isOn: mostBytes > 0,
    bytes: () => bytes,
    holds: (ref: string) => kept.has(ref),

    /** What this very model makes of the owner's picture, if it is still there. */
    find (ref: string, home: Home): Encoding | undefined {
      const entry = kept.get(ref)
      if (entry?.home !== textOf(home)) return
      kept.delete(ref)
      kept.set(ref, entry)
      return entry.encoding
    },

    /** One that is larger than all memory for them is not kept. */
    keep (ref: string, home: Home, encoding: Encoding): void {
      const size = bytesOf(encoding)
      if (size > mostBytes) return
      forget(ref)
      kept.set(ref, { home: textOf(home), encoding, bytes: size })
      bytes += size
      for (const oldest of kept.keys()) {
        if (bytes <= mostBytes) break
        forget(oldest)
      }
    }
  }

  function forget (ref: string): void {
    bytes -= kept.get(ref)?.bytes ?? 0
    kept.delete(ref)
  }
}

function bytesOf ({ features, keepProbabilities, merged }: Encoding): number {
  const known = features.byteLength + keepProbabilities.byteLength
  return known + (merged ? merged.embeddings.byteLength + merged.keepMask.length : 0)
}

/**
 * The name of a picture's encoding: the same for the same pixels, uint8 `[3, size, size]`, of the same owner for the
 * same model.
 */
export function refOf (pixels: Uint8Array, home: Home): string {
  const hash = createHash('sha256').update(`${textOf(home)} ${pixels.length} `).update(pixels)
  return `img_${hash.digest('base64url').slice(0, 32)}`
}

function textOf ({ owner, manifest }: Home) {
  return `${owner} ${digestOf(manifest)}`
}

const digests = new WeakMap<Manifest, string>()

/** Of all graphs of a model. */
function digestOf (manifest: Manifest): string {
  const known = digests.get(manifest)
  if (known !== undefined) return known
  const digest = createHash('sha256').update(JSON.stringify(manifest.graphs)).digest('base64url')
  digests.set(manifest, digest)
  return digest
}
