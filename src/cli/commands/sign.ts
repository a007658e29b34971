/** lavit sign: signs a model package, after its files were checked. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PackageError, readManifest, readManifestBytes, verifyFiles } from '../../package/package.ts'
import { signatureFile, signManifest } from '../../package/signature.ts'
import { Ending, exitCodes, wrongUsage } from '../endings.ts'

/** Gives the path of the signature. Rejects with an Ending where the key or the package is none. */
export async function sign (folder: string, keyFile: string): Promise<string> {
  const key = readKey(keyFile)
  const path = resolve(folder)
  try {
    const bytes = readManifestBytes(path)
    await verifyFiles(path, readManifest(path))
    writeFileSync(join(path, signatureFile), signManifest(bytes, key))
    return join(folder, signatureFile)
  } catch (error) {
    if (error instanceof PackageError) throw new Ending(exitCodes.refused, `${folder}: ${error.message}`)
    throw wrongUsage(`${folder} cannot be read or written (${reasonOf(error)})`)
  }
}

function readKey (file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file))
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (error) {
    throw wrongUsage(`--key: ${file} is no private key that can be read (${reasonOf(error)})`)
  }
  throw wrongUsage(`--key: ${file} is no key of Ed25519`)
}

function reasonOf (error: unknown) {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown cause'
}
