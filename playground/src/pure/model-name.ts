/** A model by name and version, and whether two of them write the same tokens. */

export type ModelName = { name: string; version: string }

/** Tokens mean the same while the first two numbers of a version stay; from 1.0 on the first. */
export function sameTokens (a: ModelName, b: ModelName): boolean {
  return a.name === b.name && familyOf(a.version) === familyOf(b.version)
}

function familyOf (version: string): string {
  const [first = '', second = ''] = version.split('.')
  return first === '0' ? `0.${second}` : first
}

/** One digest of a model out of the SHA-256 of its files: their exclusive or, in hexadecimal. */
export function digestOf (digests: Record<string, string>): string {
  const sum = new Uint8Array(32)
  for (const digest of Object.values(digests)) {
    for (let i = 0; i < 32; i++) sum[i] = (sum[i] ?? 0) ^ parseInt(digest.slice(i * 2, i * 2 + 2), 16)
  }
  return [...sum].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
