/** Who vouches for a package: an Ed25519 signature over the bytes of its manifest, which names every file by digest. */
import { sign, verify, type KeyObject } from 'node:crypto'

/** Beside the manifest: the signature's 64 bytes (RFC 8032), as `openssl pkeyutl -sign -rawin` writes them. */
export const signatureFile = 'manifest.json.sig'
export const signatureBytes = 64

/** Whether one of the keys has signed these bytes. */
export function isSigned (manifest: Uint8Array, signature: Uint8Array, keys: readonly KeyObject[]): boolean {
  return signature.length === signatureBytes && keys.some(key => verify(null, manifest, key, signature))
}

export function signManifest (manifest: Uint8Array, key: KeyObject): Uint8Array {
  return sign(null, manifest, key)
}
