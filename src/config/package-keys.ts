/** The public keys of those whose model packages may be served. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { StartError } from './variables.ts'

const block = /-----BEGIN ([A-Z ]+)-----[^-]*-----END \1-----/g

/** Of each file every key. Throws a StartError that names a file without one, or with what is none. */
export function readPackageKeys (files: readonly string[]): KeyObject[] {
  return files.flatMap(readFile)
}

function readFile (file: string): KeyObject[] {
  const refuse = (reason: string) =>
    new StartError(`LAVIT_PACKAGE_KEYS=${JSON.stringify(file)} cannot be used: ${reason}`)
  const blocks = readText(file, refuse).match(block) ?? []
  if (blocks.length === 0) throw refuse('it holds no public key (PEM)')
  return blocks.map(pem => {
    if (!pem.startsWith('-----BEGIN PUBLIC KEY-----')) throw refuse('it holds something else than public keys')
    const key = parse(pem, refuse)
    if (key.asymmetricKeyType !== 'ed25519') throw refuse(`it holds a key of ${key.asymmetricKeyType}, not of ed25519`)
    return key
  })
}

function readText (file: string, refuse: (reason: string) => StartError) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw refuse(`it cannot be read (${error instanceof Error && 'code' in error ? error.code : 'unknown cause'})`)
  }
}

function parse (pem: string, refuse: (reason: string) => StartError) {
  try {
    return createPublicKey(pem)
  } catch {
    throw refuse('it holds a public key that cannot be read')
  }
}
