/**
 * Opens a model package: its manifest is checked, and nothing is read but the regular files that it names, in its own
 * folder.
 */
import { createHash, type KeyObject } from 'node:crypto'
import { constants, lstatSync, readFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Value } from 'typebox/value'
import { findContradiction } from './contradictions.ts'
import type { PackageFile } from './files.ts'
import { Manifest } from './manifest.ts'
import { tellMisfit } from './misfit.ts'
import { isSigned, signatureBytes, signatureFile } from './signature.ts'
import { endOfText, findEnd, largestId } from './tokenizer.ts'

/** What is wrong with a package, told by the names in it and without paths. */
export class PackageError extends Error {}

const largestManifest = 4 * 2 ** 20 // bytes

/**
 * Reads `manifest.json` of a package folder, which one of the keys must have signed where there are any. Throws a
 * PackageError that names the file and what is wrong with it.
 */
export function readManifest (folder: string, keys: readonly KeyObject[] = []): Manifest {
  const file = 'manifest.json'
  const bytes = readManifestBytes(folder)
  if (keys.length > 0) checkSignature(folder, bytes, keys)
  const manifest = parseJson(file, bytes.toString('utf8'))
  if (!Value.Check(Manifest, manifest)) {
    throw new PackageError(`${file}: ${tellMisfit(Value.Errors(Manifest, manifest))}`)
  }
  if (manifest.name !== basename(folder)) throw new PackageError(`${file}: the name differs from the folder's`)
  const contradiction = findContradiction(manifest)
  if (contradiction) throw new PackageError(`${file}: ${contradiction}`)
  return manifest
}

/** The manifest as it lies in the folder: what is signed. Throws a PackageError. */
export function readManifestBytes (folder: string): Buffer {
  const file = 'manifest.json'
  if (!lstatSync(folder).isDirectory()) throw new PackageError('the package is not a folder of its own')
  if (regularFileSize(folder, file) > largestManifest) {
    throw new PackageError(`${file}: larger than ${largestManifest} bytes`)
  }
  return readFileSync(join(folder, file))
}

function checkSignature (folder: string, manifest: Buffer, keys: readonly KeyObject[]) {
  const size = regularFileSize(folder, signatureFile)
  if (size !== signatureBytes) {
    throw new PackageError(`${signatureFile}: ${size} bytes, a signature has ${signatureBytes}`)
  }
  if (!isSigned(manifest, readFileSync(join(folder, signatureFile)), keys)) {
    throw new PackageError(`${signatureFile}: no key of LAVIT_PACKAGE_KEYS has signed this manifest`)
  }
}

/**
 * Checks size and sha256 of every file that the manifest names. Rejects with a PackageError that names the first bad
 * file, or with the signal's reason.
 */
export async function verifyFiles (folder: string, manifest: Manifest, signal?: AbortSignal) {
  for (const file of filesOf(manifest)) {
    const size = regularFileSize(folder, file.file)
    if (size !== file.bytes) throw new PackageError(`${file.file}: ${size} bytes, the manifest says ${file.bytes}`)
    if ((await digest(join(folder, file.file), signal)) !== file.sha256) {
      throw new PackageError(`${file.file}: sha256 differs from the manifest`)
    }
  }
}

/**
 * The package's tokenizer, as `createTextCodec` takes it. Rejects with a PackageError, also where it has another end of
 * text than the manifest, or text ids that are of pictures there.
 */
export async function readTokenizer (folder: string, { tokenizer: { file }, ids }: Manifest): Promise<unknown> {
  const tokenizer = parseJson(file, await readFile(join(folder, file), 'utf8'))
  const end = findEnd(tokenizer)
  if (end !== undefined && end !== ids.end) {
    throw new PackageError(`${file}: ${endOfText} is ${end}, ids.end of the manifest is ${ids.end}`)
  }
  const most = largestId(tokenizer)
  if (most >= ids.image_start) {
    throw new PackageError(`${file}: has the id ${most}, and ids.image_start of the manifest is ${ids.image_start}`)
  }
  return tokenizer
}

/** Every file of a package beside the manifest itself. */
export function filesOf (manifest: Manifest): PackageFile[] {
  const graphs = Object.values(manifest.graphs).flatMap(({ data = [], device, ...graph }) =>
    typeof device === 'object' ? [graph, ...data, device] : [graph, ...data]
  )
  return [...graphs, manifest.tokenizer]
}

function regularFileSize (folder: string, file: string) {
  const stat = lstatSync(join(folder, file), { throwIfNoEntry: false })
  if (!stat) throw new PackageError(`${file}: missing`)
  if (!stat.isFile()) throw new PackageError(`${file}: not a regular file (links are refused)`)
  return stat.size
}

async function digest (path: string, signal?: AbortSignal) {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  const hash = createHash('sha256')
  for await (const chunk of handle.createReadStream({ highWaterMark: 2 ** 20 })) {
    signal?.throwIfAborted()
    hash.update(chunk)
  }
  return hash.digest('hex')
}

function parseJson (file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PackageError(`${file}: not JSON`)
  }
}
